"""Content that stands in a file which the plugin has opened for this process."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from udist_plugin.errors import Cancelled
from udist_plugin.link.errors import ContentCut, as_error, late

if TYPE_CHECKING:
    from udist_plugin.wire.frames import Fields


class FileContent:
    """``left`` bytes of ``file``, from where it is positioned. One thread reads; any may close it.

    ``deadline`` is on the monotonic clock.
    """

    trailers: Fields = ()

    def __init__(self, descriptor: int, offset: int, length: int, deadline: float | None) -> None:
        self.file = open(descriptor, "rb", buffering=0)  # noqa: SIM115 - see ``close``
        if offset:
            self.file.seek(offset)
        self.left = length
        self._deadline = deadline
        self._using = threading.Lock()
        self._closed = False

    @property
    def ended(self) -> bool:
        return self._closed or not self.left

    def read_into(self, target: memoryview) -> int:
        """Reads once; 0 at the end. Raises ``TransportError``, when the file was cut short too."""
        target = target[: self.left]
        if not target:
            return 0
        try:
            with self._using:
                count = self._read(target)
        finally:
            if self._closed or not self.left:
                self.close()
        return count

    def read(self, size: int = -1) -> bytes:
        """``size`` bytes, fewer only at the end; all that is left when negative."""
        content = bytearray(self.left if size < 0 else min(size, self.left))
        view = memoryview(content)
        while view:
            view = view[self.read_into(view) :]
        return bytes(content)

    def close(self) -> None:
        """Closes the file, or has the thread do so that reads it just now."""
        self._closed = True
        if self._using.acquire(blocking=False):
            self.file.close()
            self._using.release()

    def _read(self, target: memoryview) -> int:
        if self._closed:
            raise Cancelled("the response was closed")
        if self._deadline is not None and time.monotonic() >= self._deadline:
            raise late()
        try:
            count = self.file.readinto(target)
        except OSError as error:
            raise as_error(error) from None
        if not count:
            raise ContentCut(f"the file was cut: {self.left} bytes of the content are missing")
        self.left -= count
        return count
