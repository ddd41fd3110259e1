"""A root file system's tar as an image of one layer."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from udist_plugin.content import CHUNK_SIZE, FileContent
from udist_plugin.errors import LayoutInvalid
from udist_plugin.images.archive.opening import MAGIC_MAX, compression_of
from udist_plugin.images.compression import OCI_TYPES, Compression
from udist_plugin.images.copying.copy import CopyJob
from udist_plugin.images.copying.plan import of_root, root_of
from udist_plugin.images.copying.recompression import Recompression
from udist_plugin.images.files import from_start
from udist_plugin.images.parallel import CONCURRENCY
from udist_plugin.images.progress import SILENT
from udist_plugin.images.rootfs.content import decompressed
from udist_plugin.images.rootfs.layer import entries_of
from udist_plugin.images.rootfs.tree import WHITEOUT, File, RootFS, kind_of, parts_of
from udist_plugin.images.system import THIS_SYSTEM, SystemContext
from udist_plugin.images.transports.base import ImageSource
from udist_plugin.oci.descriptor import Descriptor
from udist_plugin.oci.digest import Digest, new_hash
from udist_plugin.oci.media_types import OCI_CONFIG, OCI_MANIFEST
from udist_plugin.registry import ManifestContent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from io import FileIO
    from tarfile import TarInfo
    from typing import IO

    from udist_plugin.content import Content, Readable
    from udist_plugin.images.platforms import Platform
    from udist_plugin.images.progress import Progress
    from udist_plugin.images.rootfs.layer import Member
    from udist_plugin.images.transports.base import ImageReference

_KEPT: Final = ("gzip", "zstd")
"""What a layer may be compressed with. What is not compressed, or otherwise, becomes gzip."""

_BLOCK: Final = 512
"""A tar's unit, in bytes; at least one of zeros is at its end."""


def import_image(
    file: FileIO,
    destination: ImageReference,
    platform: Platform,
    *,
    config: Mapping[str, Any] | None = None,
    compression: Compression | None = None,
    name: str = "the archive",
    progress: Progress = SILENT,
    system: SystemContext = THIS_SYSTEM,
) -> Descriptor:
    """Makes an image for ``platform`` whose one layer is the root file system in ``file``: a tar, also one
    compressed with gzip, zstd, xz or bzip2. Returns what is under the destination's name then.

    ``config`` is how it runs, in the words of image-spec's ``config`` (``Entrypoint``, ``Cmd``, ``Env``,
    ``Labels`` ...). What is compressed with gzip or zstd keeps its bytes, unless ``compression`` is another;
    everything else is compressed with gzip. The same file and options make the same image.

    Raises ``LayoutInvalid``, with ``name``, for what is no whole tar, unpacks to too much, or has entries
    that no layer may have; nothing is written then. Also raises what writing raises.
    """
    source = _Imported(_survey(file, name, progress), platform, config or {})
    if compression is None and source.compression not in _KEPT:
        compression = Compression("gzip")
    plan = of_root(source, root_of(source))
    with destination.new_image_destination(system) as target:
        job = CopyJob(source, target, plan, None, Recompression(source, plan, compression))
        job.run(CONCURRENCY, progress)
    return job.plan().root.descriptor


class _Archive(NamedTuple):
    """A file with a root file system: its digest, and that of the tar in it."""

    file: FileIO
    size: int
    compression: str
    digest: Digest
    diff: Digest


def _survey(file: FileIO, name: str, progress: Progress) -> _Archive:
    """Reads all of it, which checks it."""
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    compression = compression_of(file.read(MAGIC_MAX)) or "none"
    hasher = new_hash("sha256")
    with decompressed(from_start(file, size), name, hasher, progress, "reading") as plain:
        tar = _Tar(plain)
        RootFS(_kind_alone).apply(_without_whiteouts(entries_of(tar), name))
        tar.finish(name)
    return _Archive(file, size, compression, Digest.from_hash(hasher), tar.digest())


def _kind_alone(entry: TarInfo, _: IO[bytes] | None) -> File:
    """Enough to see whether the entries fit together."""
    return File(kind_of(entry), 0, (0, 0))


def _without_whiteouts(members: Iterable[Member], name: str) -> Iterator[Member]:
    for member in members:
        if any(part.startswith(WHITEOUT) for part in parts_of(member.entry.name)):
            raise LayoutInvalid(
                f"has {member.entry.name}, and in a layer, names that begin with {WHITEOUT} delete files",
                name,
            )
        yield member


class _Tar:
    """A tar that is hashed while it is read."""

    def __init__(self, content: Readable) -> None:
        self._content = content
        self._hasher = new_hash("sha256")
        self._end = b""

    def read(self, size: int = -1, /) -> bytes:
        data = self._content.read(size)
        self._hasher.update(data)
        self._end = (self._end + data[-_BLOCK:])[-_BLOCK:]
        return data

    def finish(self, name: str) -> None:
        """Reads the rest. Raises ``LayoutInvalid`` where a tar's end is missing, which no error may tell."""
        while self.read(CHUNK_SIZE):
            pass
        if self._end != bytes(_BLOCK):
            raise LayoutInvalid("is cut short: a tar ends with zeros", name)

    def digest(self) -> Digest:
        return Digest.from_hash(self._hasher)


class _Imported(ImageSource):
    """An image that is made of ``archive``."""

    def __init__(self, archive: _Archive, platform: Platform, config: Mapping[str, Any]) -> None:
        document = {
            "architecture": platform.architecture,
            "os": platform.os,
            **({"variant": platform.variant} if platform.variant else {}),
            **({"config": dict(config)} if config else {}),
            "rootfs": {"type": "layers", "diff_ids": [archive.diff]},
        }
        self.compression = archive.compression
        self._archive = archive
        self._config = json.dumps(document, separators=(",", ":")).encode()
        layer = Descriptor(OCI_TYPES[archive.compression], archive.digest, archive.size)
        manifest = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": Descriptor(OCI_CONFIG, Digest.of(self._config), len(self._config)).to_json(),
            "layers": [layer.to_json()],
        }
        content = json.dumps(manifest, separators=(",", ":")).encode()
        self._manifest = ManifestContent(content, OCI_MANIFEST, Digest.of(content))

    def get_manifest(self, digest: Digest | None = None) -> ManifestContent:  # noqa: ARG002 - there is but one
        return self._manifest

    def open_blob(self, descriptor: Descriptor) -> Content:
        if descriptor.digest == self._archive.digest:
            return from_start(self._archive.file, self._archive.size)
        return FileContent(io.BytesIO(self._config), len(self._config))

    def close(self) -> None:
        """The file is the caller's."""
