"""The payload that has arrived on one stream and waits to be read.

A consumer that is waiting lends its own buffer, and the payload goes straight there; otherwise it goes into
a pooled one, which the consumer may in turn borrow. All of it is guarded by the link's lock.
"""

from __future__ import annotations

from collections import deque

from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from mmap import mmap

    from udist_plugin.link.buffers import BufferPool


class PooledChunk:
    """A borrowed payload: ``view`` is valid until ``release``, which is called exactly once."""

    __slots__ = ("_release", "_taken", "_used", "buffer")

    def __init__(self, buffer: mmap, release: Callable[[PooledChunk], None]) -> None:
        self._release = release
        self.buffer = buffer
        self._used = 0
        self._taken = 0

    @property
    def view(self) -> memoryview:
        return memoryview(self.buffer)[self._taken : self._used]

    def release(self) -> None:
        """Gives the buffer back, and the sender credit for what it held."""
        self._release(self)

    def __len__(self) -> int:
        return self._used - self._taken

    @property
    def room(self) -> int:
        return len(self.buffer) - self._used

    def extend(self, length: int) -> memoryview:
        """The next ``length`` free bytes, from now on part of the chunk."""
        start = self._used
        self._used += length
        return memoryview(self.buffer)[start : self._used]

    def shorten(self, length: int) -> None:
        """Its last ``length`` bytes were never filled."""
        self._used -= length

    def move_into(self, target: memoryview) -> int:
        """Copies from the chunk's beginning, which it loses."""
        length = min(len(self), len(target))
        target[:length] = self.view[:length]
        self._taken += length
        return length


class Inbox:
    """A queue of chunks, and the buffer of a consumer that waits.

    ``filling`` is true between ``claim`` and ``settle``, while a payload comes, and ``writing`` while the
    reader writes into what it was given. A chunk that is being filled stands in ``_open``, out of everybody's
    reach. ``lost`` is true once content was dropped that nobody had read: nothing behind it can be read.
    """

    __slots__ = (
        "_added",
        "_direct",
        "_open",
        "_pool",
        "_release",
        "chunks",
        "filling",
        "lent",
        "lent_filled",
        "lost",
        "writing",
    )

    def __init__(self, pool: BufferPool, release: Callable[[PooledChunk], None]) -> None:
        """``release`` takes a borrowed chunk back."""
        self._pool = pool
        self._release = release
        self._open: PooledChunk | None = None
        self._direct = self._added = 0
        self.chunks: deque[PooledChunk] = deque()
        self.lent: memoryview | None = None
        self.lent_filled = 0
        self.filling = False
        self.writing = False
        self.lost = False

    def claim(self, length: int) -> list[memoryview]:
        """Where a payload of ``length`` bytes is to be put."""
        self.filling = True
        targets = []
        if self.lent is not None and not self.chunks:
            direct = self.lent[:length]
            self.lent = None
            self._direct = len(direct)
            length -= len(direct)
            targets.append(direct)
        if length:
            if self.chunks and self.chunks[-1].room >= length:
                self._open = self.chunks.pop()
            else:
                self._open = PooledChunk(self._pool.take(length), self._release)
            targets.append(self._open.extend(length))
            self._added = length
        return targets

    def settle(self, *, whole: bool = True) -> int:
        """The payload stands where ``claim`` said; or it was cut, and nothing of it is there. How many unread
        bytes were dropped."""
        self.filling = False
        if self._direct and whole:  # a later payload may settle before the consumer has looked
            self.lent_filled = self._direct
        self._direct = 0
        if self._open:
            if not whole:
                self._open.shorten(self._added)
            if len(self._open):
                self.chunks.append(self._open)
            else:
                self._pool.give_back(self._open.buffer)
            self._open = None
        return self.drop() if self.lost else 0

    def take(self) -> int:
        """How much of the lent buffer is filled; it is the consumer's again. A payload that is still on its
        way there is lost."""
        filled, self.lent_filled, self.lent = self.lent_filled, 0, None
        self.lost = self.lost or self._direct > 0
        return filled

    def withdraw(self) -> None:
        """The consumer leaves without a look: what has come for it, or is coming, is lost."""
        self.lost = self.lost or self._direct > 0 or self.lent_filled > 0
        self.lent = None

    def drop(self) -> int:
        """Drops everything unread, also what is coming, and returns how many bytes have come."""
        dropped = self.lent_filled + sum(map(len, self.chunks))
        self.lost = self.lost or self.filling or dropped > 0
        self.lent_filled = 0
        for chunk in self.chunks:
            self._pool.give_back(chunk.buffer)
        self.chunks.clear()
        return dropped
