"""Content that stands in a file which the peer has opened for this process."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from udist_plugin.errors import Cancelled
from udist_plugin.link.errors import ContentCut, as_error, late

if TYPE_CHECKING:
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
        self.deadline = deadline
        self._using = threading.Lock()
        self._closed = False

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
            with self._using:
                self.check()
                count = self.file.readinto(target)
        except OSError as error:
            raise as_error(error) from None
        finally:
            if self._closed:
                self.close()
        return self.passed(count)

    def read(self, size: int = -1) -> bytes:
        """``size`` bytes, fewer only at the end; all that is left when negative."""
        content = bytearray(self.size if size < 0 else min(size, self.size))
        view = memoryview(content)
        while view:
            view = view[self.read_into(view) :]
        return bytes(content)

    def passed(self, count: int) -> int:
        """So many bytes were read from ``file``. Raises ``ContentCut`` for none."""
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
