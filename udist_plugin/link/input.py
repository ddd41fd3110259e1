"""Takes frames off a descriptor: heads through a small buffer, payloads straight to where they belong."""

from __future__ import annotations

import time

from udist_plugin.errors import RemoteProtocolError
from udist_plugin.link.errors import Truncated
from udist_plugin.link.fds import read_into, wait_for
from udist_plugin.typed import TYPE_CHECKING
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


class Interrupted(Exception):
    """A wait was interrupted; nothing of a frame is lost."""


def cut(missing: int) -> Truncated:
    """What the end of the stream within a frame is."""
    return Truncated(f"the stream ended within a frame, {missing} bytes short")


class FrameInput:
    """Frames from ``fd``. ``wait`` blocks until it is readable, for so many seconds at most if it is given a
    number; it raises ``Interrupted``, or ``EOFError`` when nothing more will come. Whoever reads next goes on
    where the one that was interrupted was.

    ``stall`` bounds, in seconds, how long a frame that has begun may stand still; ``None`` leaves that to the
    peer. ``timed`` is set while a frame must not be waited for by a read that blocks: a read has no time-out.
    ``spin`` is how many seconds the next frame is looked for before a read that blocks, as long as frames
    follow one another so closely: to fall asleep and be woken takes longer. ``waiting`` is true while, or if
    it was broken off when, nothing of a frame had been taken and lost.
    """

    def __init__(self, fd: int, wait: Callable[[float | None], None], stall: float | None) -> None:
        self._fd = fd
        self._wait = wait
        self._stall = stall
        self.timed = False
        self.spin = 0.0
        self._soon = False
        self.waiting = False
        self._stray = False
        self._ahead = memoryview(bytearray(AHEAD))
        self._start = 0
        self._end = 0
        self._message = bytearray()
        self._missing = memoryview(b"")
        self._stalled_at: float | None = None

    def next(self) -> DataHead | bytes | None:
        """The next frame: the head of a canonical data frame, whose payload must then be read; or any other
        frame's message; or ``None`` at the end of file.

        Raises ``RemoteProtocolError`` for what cannot be a frame, or ends within one.
        """
        self.waiting = False
        if not self._missing:
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
            self._message = bytearray(length)
            self._missing = memoryview(self._message)
        while self._missing:
            self._missing = self._missing[self.fill(self._missing) :]
            if self._missing:
                self.wait_for_rest(len(self._missing))
        return bytes(self._message)

    def fill(self, target: memoryview) -> int:
        """Reads a frame's next bytes into ``target``, and ahead what comes with them. Returns how many: fewer
        than it has room for if the others have not come yet. Raises ``RemoteProtocolError`` at the end."""
        self.waiting = False
        size = len(target)
        filled = min(self._end - self._start, size)
        if filled:
            target[:filled] = self._ahead[self._start : self._start + filled]
            self._start += filled
        if filled == size:
            return size
        self._start = self._end = 0
        while filled < size:
            try:
                count = read_into(self._fd, (target[filled:], self._ahead))
            except BlockingIOError:
                return filled
            if not count:
                raise cut(size - filled)
            self._stalled_at = None
            filled += count
        self._end = filled - size
        return size

    def wait_for_rest(self, missing: int) -> None:
        """Returns once there is more of a frame of which so many bytes are ``missing``. Raises
        ``Interrupted``, and ``RemoteProtocolError`` if no more comes."""
        try:
            self._await_rest()
        except EOFError:
            raise cut(missing) from None

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
        wait = self._await_rest if self._end > self._start else self._await
        try:
            while True:
                if self.timed:
                    wait()
                try:
                    count = self._read_looking() if self.spin else self._read()
                except BlockingIOError:
                    wait()
                    continue
                self._stalled_at = None
                return count
        except EOFError:
            return 0

    def _read(self) -> int:
        return read_into(self._fd, (self._ahead[self._end :],))

    def _read_looking(self) -> int:
        """Spins for a moment, unless the last wait took longer than that."""
        began = time.monotonic()
        while self._soon and not wait_for(self._fd, timeout=0) and time.monotonic() < began + self.spin:
            pass
        count = self._read()
        self._soon = time.monotonic() < began + self.spin
        return count

    def _await_rest(self) -> None:
        """Waits for more of a frame that has begun. Raises ``RemoteProtocolError`` if that takes too long."""
        left = None
        if self._stall is not None:
            now = time.monotonic()
            self._stalled_at = self._stalled_at or now + self._stall
            left = self._stalled_at - now
            if left <= 0:
                raise RemoteProtocolError(f"no byte of a frame arrived for {self._stall:g} s")
        self._await(left)

    def _await(self, seconds: float | None = None) -> None:
        self.waiting = True
        self._wait(seconds)
        self.waiting = False
