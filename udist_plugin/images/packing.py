"""A folder as a reproducible tar+gzip: the same files and modes make the same bytes."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Final, NamedTuple, NoReturn

from udist_plugin.images.changes import unchanged
from udist_plugin.images.selection import ALL, entries
from udist_plugin.oci.digest import Digest, new_hash

if TYPE_CHECKING:
    import gzip
    import tarfile
    from typing import BinaryIO

    from udist_plugin.errors import SourceInvalid
    from udist_plugin.images.selection import Selection

GZIP_LEVEL: Final = 6
"""gzip's own default; the bytes depend on it and on the zlib that Python was built with."""


class Packed(NamedTuple):
    """What was written: the digest and size of the tar+gzip, and the digest of the tar inside."""

    digest: Digest
    size: int
    content_digest: Digest


def pack(folder: str, name: str, out: BinaryIO, selection: Selection = ALL) -> Packed:
    """Writes everything in ``folder`` that is selected to ``out``, as a tar+gzip whose entries lie under
    ``name``.

    Entries are sorted; times, owners and set-id bits are left out; hard links become files. Raises
    ``SourceInvalid`` for a link that points outside the folder, for what is no file, folder or link, and
    for a file that changes while it is read.
    """
    import gzip
    import tarfile

    packed = Hashing(out)
    with gzip.GzipFile("", "wb", GZIP_LEVEL, packed, mtime=0) as compressed:
        plain = Hashing(compressed)
        tar = tarfile.TarFile(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT)  # type: ignore[arg-type]
        for path, inner, status in entries(folder, selection, _refuse):
            _add(tar, path, inner, status, name)
        # Not tar.close(): it pads to 10 KiB, and oras hashes an archive no further than these two blocks.
        plain.write(bytes(2 * tarfile.BLOCKSIZE))
    return Packed(packed.digest(), packed.size, plain.digest())


def _add(tar: tarfile.TarFile, path: str, inner: str, status: os.stat_result, name: str) -> None:
    import tarfile

    entry = tarfile.TarInfo(f"{name}/{inner}" if inner else name)
    entry.mode = stat.S_IMODE(status.st_mode) & 0o777
    if stat.S_ISREG(status.st_mode):
        with open(path, "rb") as file, unchanged(file, path) as status:
            entry.size = status.st_size
            tar.addfile(entry, file)
    elif stat.S_ISDIR(status.st_mode):
        entry.type = tarfile.DIRTYPE
        tar.addfile(entry)
    else:
        entry.type = tarfile.SYMTYPE
        entry.linkname = os.readlink(path).replace(os.sep, "/")
        tar.addfile(entry)
    tar.members.clear()  # type: ignore[attr-defined]  # tarfile keeps every entry otherwise


def _refuse(error: SourceInvalid) -> NoReturn:
    raise error


class Hashing:
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
