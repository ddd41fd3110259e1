"""What a connection receives."""

from __future__ import annotations

import time
from mmap import mmap

from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from socket import socket

SIZE: Final = 256 << 10
"""Bytes received at once. Of a buffer the kernel gives only the pages that are used, few for heads alone."""

LONGEST_LINE: Final = 16 << 10

SHORTEST: Final = 0.001
"""Seconds of a timeout; with none at all, a socket would not wait."""


class Reader:
    """Lines for heads, and content straight into the buffer of whoever wants it. Reads raise ``OSError``."""

    def __init__(self, connection: socket) -> None:
        self._connection = connection
        self._buffer = mmap(-1, SIZE)
        self._view = memoryview(self._buffer)
        self._start = self._end = 0
        self._until: float | None = None

    def limit(self, seconds: float | None) -> None:
        """All that is received from now on has to come within ``seconds``, however many pieces it comes in;
        with ``None``, the connection's own timeout holds for each piece."""
        self._until = None if seconds is None else time.monotonic() + seconds

    def wait(self) -> bool:
        """Waits for the next byte; ``False`` at the end."""
        return self._start < self._end or self._receive()

    def readline(self, size: int = LONGEST_LINE) -> bytes:
        """Up to and with the next line feed, but at most ``size`` bytes."""
        line = b""
        while len(line) < size and self.wait():
            end = min(self._end, self._start + size - len(line))
            end = self._buffer.find(b"\n", self._start, end) + 1 or end
            line += self._view[self._start : end]
            self._start = end
            if line.endswith(b"\n"):
                break
        return line

    def read_into(self, view: memoryview) -> int:
        """Reads once into ``view``; 0 at the end."""
        if self._start == self._end:
            if len(view) >= SIZE:
                return self._connection.recv_into(view)
            if not self._receive():
                return 0
        count = min(len(view), self._end - self._start)
        view[:count] = self._view[self._start : self._start + count]
        self._start += count
        return count

    def discard(self, limit: int, until: float) -> None:
        """Receives and forgets all up to the end, or about ``limit`` bytes, or what comes ``until`` a time on
        the monotonic clock."""
        while limit > 0 and time.monotonic() < until and self._receive():
            limit -= self._end

    def close(self) -> None:
        """The connection is closed elsewhere."""

    def _receive(self) -> bool:
        self._start, self._end = 0, 0
        if self._until is not None:
            self._connection.settimeout(max(SHORTEST, self._until - time.monotonic()))
        self._end = self._connection.recv_into(self._view)
        return self._end > 0
