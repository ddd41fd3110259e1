"""A folder as a reproducible tar+gzip: the same files and modes make the same bytes."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Final, NamedTuple

from udist_plugin.errors import ArtifactError
from udist_plugin.oci.digest import Digest, new_hash

if TYPE_CHECKING:
    import gzip
    import tarfile
    from collections.abc import Iterator
    from typing import BinaryIO

GZIP_LEVEL: Final = 6
"""gzip's own default; the bytes depend on it and on the zlib that Python was built with."""

DEPTH_MAX: Final = 256
"""How deep folders may lie in one another."""


class Packed(NamedTuple):
    """What was written: the digest and size of the tar+gzip, and the digest of the tar inside."""

    digest: Digest
    size: int
    content_digest: Digest


def pack(folder: str, name: str, out: BinaryIO) -> Packed:
    """Writes everything in ``folder`` to ``out`` as a tar+gzip whose entries lie under ``name``.

    Entries are sorted; times, owners and set-id bits are left out; hard links become files. Raises
    ``ArtifactError`` for a link that leads out of the folder and for what is no file, folder or link.
    """
    import gzip
    import tarfile

    packed = _Hashing(out)
    with gzip.GzipFile("", "wb", GZIP_LEVEL, packed, mtime=0) as compressed:
        plain = _Hashing(compressed)
        tar = tarfile.TarFile(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT)  # type: ignore[arg-type]
        for path, inner in _entries(folder, ""):
            _add(tar, path, inner, name)
        # Not tar.close(): it pads to 10 KiB, and oras hashes an archive no further than these two blocks.
        plain.write(bytes(2 * tarfile.BLOCKSIZE))
    return Packed(packed.digest(), packed.size, plain.digest())


def _entries(path: str, inner: str) -> Iterator[tuple[str, str]]:
    """``path`` and what lies in it, each with its path inside the folder, in lexical order."""
    yield path, inner
    if inner.count("/") >= DEPTH_MAX:
        raise ArtifactError(f"more than {DEPTH_MAX} folders deep", path=path)
    if stat.S_ISDIR(os.lstat(path).st_mode):
        for name in sorted(os.listdir(path)):
            yield from _entries(os.path.join(path, name), f"{inner}/{name}" if inner else name)


def _add(tar: tarfile.TarFile, path: str, inner: str, name: str) -> None:
    import tarfile

    status = os.stat(path) if not inner else os.lstat(path)
    entry = tarfile.TarInfo(f"{name}/{inner}" if inner else name)
    entry.mode = stat.S_IMODE(status.st_mode) & 0o777
    if stat.S_ISREG(status.st_mode):
        entry.size = status.st_size
        with open(path, "rb") as file:
            tar.addfile(entry, file)
    elif stat.S_ISDIR(status.st_mode):
        entry.type = tarfile.DIRTYPE
        tar.addfile(entry)
    elif stat.S_ISLNK(status.st_mode):
        entry.type = tarfile.SYMTYPE
        entry.linkname = os.readlink(path).replace(os.sep, "/")
        if leads_out(inner, entry.linkname):
            raise ArtifactError(f"the link to {entry.linkname!r} leads out of the folder", path=path)
        tar.addfile(entry)
    else:
        raise ArtifactError("neither a file, a folder nor a symbolic link", path=path)
    tar.members.clear()  # type: ignore[attr-defined]  # tarfile keeps every entry otherwise


def leads_out(inner: str, link: str) -> bool:
    """Whether a symbolic link at ``inner`` leads, or may lead, out of its folder.

    ``..`` is only understood at the start: behind a name, which may be a link itself, it could mean
    any place.
    """
    parts = [part for part in link.split("/") if part not in ("", ".")]
    up = next((index for index, part in enumerate(parts) if part != ".."), len(parts))
    return link.startswith("/") or ".." in parts[up:] or up > inner.count("/")


class _Hashing:
    """A binary file that is written through and hashed."""

    def __init__(self, out: BinaryIO | gzip.GzipFile) -> None:
        self.size = 0
        self._out = out
        self._hash = new_hash("sha256")

    def write(self, data: bytes) -> int:
        self._out.write(data)
        self._hash.update(data)
        self.size += len(data)
        return len(data)

    def tell(self) -> int:
        return self.size

    def flush(self) -> None:
        self._out.flush()

    def digest(self) -> Digest:
        return Digest.from_hash(self._hash)
