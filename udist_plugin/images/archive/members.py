"""The files in an archive, by name, in whatever order they come."""

from __future__ import annotations

import os
import posixpath
import tarfile
from typing import TYPE_CHECKING, Final

from udist_plugin.content import Content
from udist_plugin.errors import LayoutInvalid, SizeInvalid
from udist_plugin.images.archive.opening import open_archive

if TYPE_CHECKING:
    from typing import BinaryIO

MEMBERS_MAX: Final = 200_000
"""How many files an archive may have."""

LINKS_MAX: Final = 8
"""How many links are followed to a file."""


class Archive:
    """The archive at ``path``. Nothing of it is unpacked. Safe for any number of threads.

    Raises ``ImageUnknown``, ``LayoutInvalid`` and ``OSError``.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._file = open_archive(path)
        try:
            self._members = self._read()
        except BaseException:
            self._file.close()
            raise

    def open(self, name: str) -> Content:
        member = self._find(name)
        return MemberContent(self._file, member.offset_data, member.size)

    def names(self) -> list[str]:
        """All names, in the archive's order."""
        return list(self._members)

    def close(self) -> None:
        self._file.close()

    def _read(self) -> dict[str, tarfile.TarInfo]:
        """By their names without ``./``; of two with one name the last one counts, as when it is unpacked."""
        found: dict[str, tarfile.TarInfo] = {}
        size = os.fstat(self._file.fileno()).st_size
        try:
            with tarfile.open(fileobj=self._file, mode="r:") as tar:
                while member := tar.next():
                    tar.members.clear()  # type: ignore[attr-defined]  # which it would keep all of
                    found[posixpath.normpath(member.name)] = member
                    if member.isreg() and member.offset_data + member.size > size:
                        raise LayoutInvalid(f"is cut short within {member.name}", self.path)
                    if len(found) > MEMBERS_MAX:
                        raise LayoutInvalid(f"has more than {MEMBERS_MAX} files", self.path)
        except tarfile.TarError as error:
            raise LayoutInvalid(f"is no tar archive, or cut short: {error}", self.path) from None
        return found

    def _find(self, name: str) -> tarfile.TarInfo:
        """The file of this name, also behind links. Raises ``FileNotFoundError``, and ``LayoutInvalid`` for a
        link that leaves the archive."""
        member = self._members.get(name)
        for _ in range(LINKS_MAX):
            if member is None:
                raise FileNotFoundError(f"{self.path} has no {name}")
            if member.isreg() and not member.issparse():
                return member
            if not member.issym() and not member.islnk():
                raise LayoutInvalid(f"{name} is no file", self.path)
            folder = posixpath.dirname(member.name) if member.issym() else ""
            target = posixpath.normpath(posixpath.join(folder, member.linkname))
            if target.startswith(("/", "../")) or target == "..":
                raise LayoutInvalid(f"{name} is a link that leaves the archive: {member.linkname}", self.path)
            member = self._members.get(target)
        raise LayoutInvalid(f"{name} is behind more than {LINKS_MAX} links", self.path)


class MemberContent(Content):
    """``size`` bytes of ``archive`` from ``offset`` on, read without moving its position."""

    def __init__(self, archive: BinaryIO, offset: int, size: int) -> None:
        self.size = size
        self._descriptor = archive.fileno()
        self._start = self._position = offset
        self._end = offset + size

    def read(self, size: int = -1) -> bytes:
        left = self._end - self._position
        wanted = left if size < 0 else min(size, left)
        data = os.pread(self._descriptor, wanted, self._position) if wanted else b""
        if wanted and not data:
            raise SizeInvalid({"expected": self.size}, "the archive was cut while it was read")
        self._position += len(data)
        return data

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        """The position within the content."""
        return self._position - self._start

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: self._start, os.SEEK_CUR: self._position, os.SEEK_END: self._end}[whence]
        self._position = base + offset
        return self.tell()
