"""Content in a file that the peer has open, and this process, too."""

from __future__ import annotations

import os
import struct
import threading
import time
from contextlib import contextmanager

from udist_plugin.errors import Cancelled
from udist_plugin.link.errors import ContentCut, as_error, late
from udist_plugin.typed import TYPE_CHECKING, Final

PIECE: Final = 64 << 20
"""Bytes that the kernel copies between two looks at whether to go on."""

FICLONERANGE: Final = 0x4020940D

if TYPE_CHECKING:
    from collections.abc import Iterator

    from udist_plugin.wire.frames import Fields, File


class FileContent:
    """``size`` bytes of ``file``, from where it is positioned. One thread reads; any may close it.

    ``descriptor`` is this process's own of the ``told`` file. ``deadline`` is on the monotonic clock.
    """

    trailers: Fields = ()

    def __init__(self, descriptor: int, told: File, deadline: float | None) -> None:
        self.file = open(descriptor, "rb", buffering=0)  # noqa: SIM115 - see ``close``
        if told.offset:
            self.file.seek(told.offset)
        self.size = told.length
        self._told = told
        self.deadline = deadline
        self._using = threading.Lock()
        self._closed = False
        if not self.size:
            self.close()

    @property
    def is_whole(self) -> bool:
        """Whether it is all of the file, and nothing of it was read yet."""
        whole = self.size == self._told.size and not self._told.offset
        return whole and not self._closed and self.file.tell() == 0

    @property
    def ended(self) -> bool:
        """Whether nothing is left to read."""
        return self._closed or not self.size

    def read_into(self, target: memoryview) -> int:
        """Reads once; 0 at the end. Raises ``TransportError``, also when the file was cut short."""
        target = target[: self.size]
        if not target:
            return 0
        try:
            with self._use():
                count = self.file.readinto(target)
        except OSError as error:
            raise as_error(error) from None
        return self._passed(count)

    def read(self, size: int = -1) -> bytes:
        """``size`` bytes, fewer only at the end; all that is left when negative."""
        content = bytearray(self.size if size < 0 else min(size, self.size))
        view = memoryview(content)
        while view:
            view = view[self.read_into(view) :]
        return bytes(content)

    def share(self, descriptor: int) -> bool:
        """See ``content.Shareable``."""
        if not self.size:  # a length of 0 stands for the rest of the file there
            return False
        with self._use():
            try:
                copy = open(os.open(f"/proc/self/fd/{descriptor}", os.O_RDONLY), "rb", buffering=0)  # noqa: SIM115
            except OSError:
                return False
            try:
                clone(self.file.fileno(), self.file.tell(), self.size, descriptor)
            except OSError:
                copy.close()
                return False
            self.file.close()
            self.file = copy
        return True

    def copy_to(self, descriptor: int) -> int:
        """Has the kernel copy what is left to another file, as far as it can; how many bytes that was."""
        copied = 0
        while self.size:
            with self._use():
                try:
                    count = os.copy_file_range(self.file.fileno(), descriptor, min(self.size, PIECE))
                except OSError:  # not between these two files; what is wrong with them, a write will tell
                    break
            copied += self._passed(count)
        return copied

    @contextmanager
    def _use(self) -> Iterator[None]:
        """The file stays open within, and is closed behind if ``close`` was called meanwhile."""
        try:
            with self._using:
                self.check()
                yield
        finally:
            if self._closed:
                self.close()

    def _passed(self, count: int) -> int:
        if not count:
            raise ContentCut(f"the file was cut: {self.size} bytes of the content are missing")
        self.size -= count
        if not self.size:
            self.close()
        return count

    def check(self) -> None:
        """Raises what keeps the content from being read on."""
        if self._closed:
            raise Cancelled("the content was closed")
        if self.deadline is not None and time.monotonic() >= self.deadline:
            raise late()

    def close(self) -> None:
        """Closes the file, or has the thread do so that reads it just now."""
        self._closed = True
        if self._using.acquire(blocking=False):
            self.file.close()
            self._using.release()


def clone(source: int, offset: int, length: int, target: int) -> None:
    """Has an empty file share the extents of ``length`` bytes of another (ioctl_ficlonerange(2)). Raises
    ``OSError`` where the file system cannot; few can."""
    import fcntl

    fcntl.ioctl(target, FICLONERANGE, struct.pack("=qQQQ", source, offset, length, 0))
