"""A blob on its way into the store, and those who read along."""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING, Final

from udist_plugin.content import Content
from udist_plugin.errors import RegistryError, TransportError, UpstreamTimeout

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

    Condition = Callable[[], bool]

PATIENCE: Final = 300.0
"""Seconds without progress after which nobody waits any longer. Who fetches gives up before that."""


class Arriving:
    """A blob of ``size`` bytes, 0 until ``begin``, of which some are in a file.

    The last byte is kept back until all have the digest that was asked for: what was read to its end is
    right. The file is closed when whoever fetches and all readers have let go of it.
    """

    def __init__(self) -> None:
        self.size = 0
        self._changed = threading.Condition()
        self._file: BinaryIO | None = None
        self._here = 0
        self.begun = False
        self.whole = False
        self._error: BaseException | None = None
        self._users = 1

    def begin(self, size: int) -> None:
        """The upstream has the blob, and this is its size."""
        with self._changed:
            self.size, self.begun = size, True
            self._changed.notify_all()

    def stand_in(self, file: BinaryIO) -> None:
        """The bytes are written to ``file``, which is closed with this."""
        with self._changed:
            self._file = file

    def grow(self, count: int) -> None:
        """So many bytes more are in the file."""
        with self._changed:
            self._here += count
            self._changed.notify_all()

    def complete(self) -> None:
        """All bytes are there, and are what was asked for."""
        with self._changed:
            self.whole = True
            self._changed.notify_all()

    def fail(self, error: BaseException) -> None:
        """No more bytes come. Who waits for some gets ``error``."""
        with self._changed:
            self._error = error
            self._changed.notify_all()

    def take(self) -> None:
        """One more uses it, who will call ``follow`` or ``follow_range``."""
        with self._changed:
            self._users += 1

    def follow(self) -> Following:
        """All of the blob, once its first byte is there. Raises what was wrong with it."""
        try:
            with self._changed:
                self._wait_for(lambda: self.begun and (self._available() > 0 or self.whole))
                return Following(self, 0, self.size)
        except BaseException:
            self.let_go()
            raise

    def follow_range(self, start: int, end: int | None) -> Following | None:
        """A range that has begun to arrive, or else ``None``."""
        with self._changed:
            if self._error is None and start < self._available():
                return Following(self, start, self.size if end is None else min(end, self.size))
        self.let_go()
        return None

    def wait(self, position: int) -> int:
        """How many bytes are there behind ``position``, once there is one. Raises ``TransportError``."""
        try:
            with self._changed:
                self._wait_for(lambda: self._available() > position)
                return self._available() - position
        except RegistryError as error:  # too late for an answer of HTTP
            raise TransportError(str(error), code="UNAVAILABLE") from error

    def read_at(self, position: int, size: int) -> bytes:
        """Bytes that are there."""
        assert self._file is not None
        if hasattr(os, "pread"):
            return os.pread(self._file.fileno(), size, position)
        with self._changed:
            self._file.seek(position)
            return self._file.read(size)

    def splice_at(self, position: int, pipe: int, size: int) -> int:
        """Moves bytes that are there to a pipe (Linux)."""
        assert self._file is not None
        return os.splice(self._file.fileno(), pipe, size, offset_src=position)

    def let_go(self) -> None:
        with self._changed:
            self._users -= 1
            if not self._users and self._file is not None:
                self._file.close()

    def _available(self) -> int:
        if self._file is None:
            return 0
        return self.size if self.whole else min(self._here, self.size - 1)

    def _wait_for(self, condition: Condition) -> None:
        if not self._changed.wait_for(lambda: self._error is not None or condition(), PATIENCE):
            raise UpstreamTimeout(f"nothing arrived for {PATIENCE:.0f} s")
        if self._error is not None and not condition():
            raise self._error


class Following(Content):
    """The bytes of a blob from ``start`` to ``end``, as they arrive."""

    def __init__(self, arriving: Arriving, start: int, end: int) -> None:
        self.size = end - start
        self.spliceable = sys.platform == "linux"
        self._arriving = arriving
        self._position = start
        self._end = end
        self._open = True

    def read(self, size: int = -1) -> bytes:
        if size < 0:
            return b"".join(iter(lambda: self.read(1 << 20), b""))
        data = b""
        if count := self._next(size):
            data = self._arriving.read_at(self._position, count)
            self._position += len(data)
        return data

    def splice(self, pipe: int, size: int) -> int:
        moved = 0
        if count := self._next(size):
            moved = self._arriving.splice_at(self._position, pipe, count)
            self._position += moved
        return moved

    def _next(self, size: int) -> int:
        """How many bytes can be taken now: up to ``size``, 0 at the end."""
        if left := min(size, self._end - self._position):
            return min(left, self._arriving.wait(self._position))
        return 0

    def close(self) -> None:
        if self._open:
            self._open = False
            self._arriving.let_go()
