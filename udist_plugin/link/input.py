"""Takes frames off a descriptor: heads through a small buffer, payloads straight to where they belong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from udist_plugin.errors import RemoteProtocolError
from udist_plugin.link.errors import Truncated
from udist_plugin.link.fds import read_into, ready_before_end
from udist_plugin.wire.constants import PREFIX_SIZE
from udist_plugin.wire.framing import (
    LOOK_AHEAD,
    DataHead,
    check_control_length,
    check_flag,
    data_head,
    frame_length,
)

if TYPE_CHECKING:
    from collections.abc import Callable

AHEAD = 512
"""Bytes read ahead of what is needed: most requests are smaller, and a larger buffer would copy payloads."""

STALL = 120.0
"""Seconds that a frame once begun may stand still. Its sender waits for nothing but its reader."""


class Interrupted(Exception):
    """The wait for a frame's first bytes was interrupted; nothing of a frame is lost."""


class FrameInput:
    """Frames from ``fd``. ``wait`` blocks until it is readable; it raises ``Interrupted``, or ``EOFError``
    when nothing more will come. ``peer`` is readable once the process that writes has ended.

    ``timed`` is set while a frame must not be waited for by a read that blocks: a read has no time-out.
    ``waiting`` is true while, or if it was broken off when, nothing of a frame had been taken and lost.
    """

    def __init__(self, fd: int, wait: Callable[[], None], peer: int = -1) -> None:
        self._fd = fd
        self._peer = peer
        self._wait = wait
        self.timed = False
        self.waiting = False
        self._stray = False
        self._ahead = memoryview(bytearray(AHEAD))
        self._start = 0
        self._end = 0

    def next(self) -> DataHead | bytes | None:
        """The next frame: the head of a canonical data frame, whose payload must then be read; or any other
        frame's message; or ``None`` at the end of file.

        Raises ``RemoteProtocolError`` for what cannot be a frame, or ends within one.
        """
        self.waiting = False
        if not self._have(1):
            return None
        self._stray = True
        check_flag(self._ahead[self._start])
        self._stray = False
        self._have(PREFIX_SIZE)
        length = frame_length(self._ahead, self._start)
        self._have(min(PREFIX_SIZE + length, LOOK_AHEAD))
        head = data_head(self._ahead, self._start, self._end)
        if head:
            self._start += head.size
            return head
        check_control_length(length)
        self._start += PREFIX_SIZE
        if self._end - self._start >= length:
            self._start += length
            return bytes(self._ahead[self._start - length : self._start])
        message = bytearray(length)
        self.read_payload(memoryview(message))
        return bytes(message)

    def read_payload(self, target: memoryview) -> None:
        """Fills ``target``, and reads ahead what comes with it."""
        size = len(target)
        filled = min(self._end - self._start, size)
        if filled:
            target[:filled] = self._ahead[self._start : self._start + filled]
            self._start += filled
        if filled == size:
            return
        self._start = self._end = 0
        while filled < size:
            count = self._read_rest(target[filled:], self._ahead)
            if not count:
                raise Truncated(f"the stream ended within a frame, {size - filled} bytes short")
            filled += count
        self._end = filled - size

    def skip_payload(self, length: int) -> None:
        """Drops ``length`` bytes."""
        scratch = memoryview(bytearray(min(length, 64 << 10)))
        while length:
            part = scratch[: min(length, len(scratch))]
            self.read_payload(part)
            length -= len(part)

    def stray(self) -> bytes:
        """What stood where a frame should begin, as far as it was read; empty if one did."""
        return bytes(self._ahead[self._start : self._end]) if self._stray else b""

    def _have(self, size: int) -> bool:
        """Reads until ``size`` bytes stand ahead; ``False`` at the end of file before any."""
        if self._end - self._start < size and self._start:
            have = self._end - self._start
            self._ahead[:have] = bytes(self._ahead[self._start : self._end])
            self._start, self._end = 0, have
        while self._end - self._start < size:
            count = self._read_ahead()
            if not count:
                if self._end > self._start:
                    raise Truncated("the stream ended within a frame")
                return False
            self._end += count
        return True

    def _read_ahead(self) -> int:
        """Reads once; 0 at the end."""
        try:
            while True:
                if self.timed:
                    self._await()
                try:
                    return read_into(self._fd, (self._ahead[self._end :],))
                except BlockingIOError:
                    self._await()
        except EOFError:
            return 0

    def _read_rest(self, *buffers: memoryview) -> int:
        """Reads more of a frame, once; 0 at the end."""
        while True:
            try:
                return read_into(self._fd, buffers)
            except BlockingIOError:
                pass
            try:
                if not ready_before_end(self._fd, self._peer, timeout=STALL):
                    raise RemoteProtocolError(f"no byte of a frame arrived for {STALL:g} s")
            except EOFError:
                return 0

    def _await(self) -> None:
        self.waiting = True
        self._wait()
        self.waiting = False
