"""The files that an image's layers make up, as one tar.

The layers are read twice: first to learn what is left of each in the end, then for the content, which goes
from the layer to the tar without being stored.
"""

from __future__ import annotations

import tarfile
from typing import TYPE_CHECKING, Final

from udist_plugin.errors import ImageError, LayoutInvalid
from udist_plugin.images.archive.opening import FREE, RATIO_MAX
from udist_plugin.images.configuration import is_image
from udist_plugin.images.progress import SILENT
from udist_plugin.images.rootfs.layer import members_of
from udist_plugin.images.rootfs.tree import XATTR, File, RootFS, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import IO, BinaryIO

    from udist_plugin.images.progress import Progress
    from udist_plugin.images.rootfs.layer import Member
    from udist_plugin.images.rootfs.tree import Node
    from udist_plugin.images.transports.base import ImageSource
    from udist_plugin.oci.manifest import Manifest

_KEPT: Final = ("mode", "uid", "gid", "uname", "gname", "mtime", "linkname", "devmajor", "devminor")
"""What an entry of the tar has from the layer's entry."""


def export_image(source: ImageSource, image: Manifest, out: BinaryIO, progress: Progress = SILENT) -> None:
    """Writes the files of ``image`` to ``out`` as a tar: folders first, then the rest in the layers' order.

    Nothing is written before all layers were read and verified. Raises ``ImageError`` for what is no
    container image, ``LayoutInvalid``, ``DigestInvalid`` and ``SizeInvalid``.
    """
    if not is_image(image):
        raise ImageError("has no root file system: it is no container image", image.digest)
    progress.expect(len(image.layers), sum(layer.size for layer in image.layers))
    survey = _Survey(source, image, progress)
    with tarfile.open(fileobj=out, mode="w|", format=tarfile.PAX_FORMAT) as tar:
        for path, entry in survey.folders():
            tar.addfile(_entry(entry, path))
        for number, layer in enumerate(image.layers):
            for position, member in enumerate(members_of(source, layer, progress)):
                _add(tar, member, survey.paths.get(_key(number, position), ()))
                tar.members.clear()  # type: ignore[attr-defined]  # tarfile keeps every entry otherwise


class _Survey:
    """What is left of each layer: ``paths`` has those of every entry that is still there, by its ``_key``.
    A file with hard links has several."""

    def __init__(self, source: ImageSource, image: Manifest, progress: Progress) -> None:
        self.paths: dict[bytes, list[str]] = {}
        self._folders: dict[bytes, tarfile.TarInfo] = {}
        self._now = b""
        self._size = 0
        self._size_max = FREE + RATIO_MAX * sum(layer.size for layer in image.layers)
        rootfs = RootFS(self._describe)
        for number, layer in enumerate(image.layers):
            rootfs.apply(self._numbered(number, members_of(source, layer, progress, "reading")))
        self._collect(rootfs.root, "")

    def folders(self) -> Iterator[tuple[str, tarfile.TarInfo]]:
        """Each before what lies in it. Those that no layer describes are left out."""
        for key, paths in self.paths.items():
            if key in self._folders:
                yield from ((path, self._folders[key]) for path in paths)

    def _numbered(self, number: int, members: Iterable[Member]) -> Iterator[Member]:
        for position, member in enumerate(members):
            self._now = _key(number, position)
            yield member

    def _describe(self, entry: tarfile.TarInfo, _: IO[bytes] | None) -> File:
        """The entry's key is all that is to be known of a file's content."""
        self._size += entry.size
        if self._size > self._size_max:  # of holes
            raise LayoutInvalid(f"the files are more than {RATIO_MAX} times as large as the layers")
        if entry.isdir():
            self._folders[self._now] = entry
        return File(kind_of(entry), 0, (0, 0), content=self._now)

    def _collect(self, folder: Node, above: str) -> None:
        for name, node in folder.children.items():
            path = f"{above}{name}"
            self.paths.setdefault(node.file.content, []).append(path)
            self._collect(node, f"{path}/")


def _key(number: int, position: int) -> bytes:
    return b"%d/%d" % (number, position)


def _add(tar: tarfile.TarFile, member: Member, paths: Iterable[str]) -> None:
    """Adds a file at all of ``paths``: after the first, as hard links to it."""
    if member.entry.isdir():
        return
    first = None
    for path in paths:
        made = _entry(member.entry, path)
        if first is None:
            first = made
            tar.addfile(made, member.content)
            continue
        if first.isreg():
            made.type, made.linkname, made.size = tarfile.LNKTYPE, first.name, 0
        tar.addfile(made)


def _entry(given: tarfile.TarInfo, path: str) -> tarfile.TarInfo:
    made = tarfile.TarInfo(path)
    for name in _KEPT:
        setattr(made, name, getattr(given, name))
    if kind_of(given) != "file":
        made.type = given.type
    elif given.isreg():
        made.size = given.size
    made.pax_headers = {key: text for key, text in given.pax_headers.items() if key.startswith(XATTR)}
    return made
