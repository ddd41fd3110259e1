"""Files by their paths, and what layers do to them: whiteouts, and files in the place of others."""

from __future__ import annotations

import hashlib
import tarfile
from typing import TYPE_CHECKING, Final, NamedTuple

from udist_plugin.content import CHUNK_SIZE
from udist_plugin.errors import LayoutInvalid
from udist_plugin.images.selection import DEPTH_MAX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import IO

    from udist_plugin.images.rootfs.layer import Member

FILES_MAX: Final = 2_000_000
"""How many files an image may have."""

WHITEOUT: Final = ".wh."
OPAQUE: Final = ".wh..wh..opq"

_KINDS: Final = {
    tarfile.DIRTYPE: "folder",
    tarfile.SYMTYPE: "link",
    tarfile.CHRTYPE: "character device",
    tarfile.BLKTYPE: "block device",
    tarfile.FIFOTYPE: "pipe",
}
XATTR: Final = "SCHILY.xattr."


class File(NamedTuple):
    """What a layer says of a file, but for its times. ``content`` is a hash, ``link`` a symbolic link's
    target."""

    kind: str
    mode: int
    owner: tuple[int, int]
    size: int = 0
    content: bytes = b""
    link: str = ""
    device: tuple[int, int] = (0, 0)
    attributes: tuple[tuple[str, str], ...] = ()


UNDESCRIBED: Final = File("folder", 0o755, (0, 0))
"""A folder that is only there because something lies in it."""


class Node:
    """A place in the tree. ``layer`` is the number of the layer that put it there."""

    __slots__ = ("children", "file", "layer")

    def __init__(self, file: File, layer: int) -> None:
        self.file = file
        self.layer = layer
        self.children: dict[str, Node] = {}

    def copy(self) -> Node:
        """The node, with copies of all below it."""
        made = Node(self.file, self.layer)
        made.children = {name: child.copy() for name, child in self.children.items()}
        return made


class RootFS:
    """The files of an image whose layers are applied from the lowest on. ``describe`` says what a file is."""

    def __init__(self, describe: Callable[[tarfile.TarInfo, IO[bytes] | None], File] | None = None) -> None:
        self.root = Node(UNDESCRIBED, 0)
        self._describe = describe or described
        self._layers = 0
        self._count = 0

    def copy(self) -> RootFS:
        """The same files, to go on from."""
        made = RootFS(self._describe)
        made.root, made._layers, made._count = self.root.copy(), self._layers, self._count
        return made

    def apply(self, members: Iterable[Member]) -> None:
        """Puts a layer on top. Raises ``LayoutInvalid``."""
        self._layers += 1
        for entry, content in members:
            parts = parts_of(entry.name)
            if not parts:
                self.root.file = self._describe(entry, None)
            elif parts[-1] == OPAQUE:
                self._hide_below(self._folder(parts[:-1]))
            elif parts[-1].startswith(WHITEOUT):
                self._hide(self._folder(parts[:-1]), parts[-1].removeprefix(WHITEOUT))
            else:
                self._put(parts, self._linked(entry) if entry.islnk() else self._describe(entry, content))

    def _put(self, parts: list[str], file: File) -> None:
        folder = self._folder(parts[:-1])
        node = folder.children.get(parts[-1])
        if node is None or file.kind != "folder":
            node = self._new(folder, parts[-1])
        node.file, node.layer = file, self._layers

    def _folder(self, parts: list[str]) -> Node:
        """The folder at a path, made where it is missing, or where something else is in its place."""
        node = self.root
        for part in parts:
            child = node.children.get(part)
            if child is None or child.file.kind != "folder":
                child = self._new(node, part)
            node = child
        return node

    def _new(self, folder: Node, name: str) -> Node:
        self._count += 1
        if self._count > FILES_MAX:
            raise LayoutInvalid(f"the image has more than {FILES_MAX} files")
        node = folder.children[name] = Node(UNDESCRIBED, self._layers)
        return node

    def _hide(self, folder: Node, name: str) -> None:
        """Removes what lower layers have at a name; what this layer has stays, in whatever order it came."""
        node = folder.children.get(name)
        if node is None:
            return
        self._hide_below(node)
        if node.layer < self._layers:
            node.file = UNDESCRIBED
            if not node.children:
                del folder.children[name]

    def _hide_below(self, folder: Node) -> None:
        for name in list(folder.children):
            self._hide(folder, name)

    def _linked(self, entry: tarfile.TarInfo) -> File:
        """A hard link is the file that it links to."""
        node: Node | None = self.root
        for part in parts_of(entry.linkname):
            node = node.children.get(part) if node else None
        if node is None or node.file.kind == "folder":
            raise LayoutInvalid(f"{entry.name} is a hard link to {entry.linkname}, which is not there")
        return node.file


def parts_of(name: str) -> list[str]:
    """A path's parts. Raises ``LayoutInvalid`` for one that leaves the image."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts or len(parts) > DEPTH_MAX:
        raise LayoutInvalid(f"a layer has the path {name[:200]!r}, which leaves the image or is too deep")
    return parts


def kind_of(entry: tarfile.TarInfo) -> str:
    """``file``, ``folder``, ``link`` for a symbolic one, or what else it is."""
    return _KINDS.get(entry.type, "file")


def described(entry: tarfile.TarInfo, content: IO[bytes] | None) -> File:
    """All that a layer says of a file, with the hash of its ``content``."""
    device = (entry.devmajor, entry.devminor) if entry.isdev() and not entry.isfifo() else (0, 0)
    return File(
        kind_of(entry),
        entry.mode & 0o7777,
        (entry.uid, entry.gid),
        entry.size if content else 0,
        _hash_of(content) if content else b"",
        entry.linkname if entry.issym() else "",
        device,
        tuple(sorted((key, text) for key, text in entry.pax_headers.items() if key.startswith(XATTR))),
    )


def _hash_of(content: IO[bytes]) -> bytes:
    hasher = hashlib.blake2b(digest_size=16)
    while data := content.read(CHUNK_SIZE):
        hasher.update(data)
    return hasher.digest()
