"""Buffers for payloads that arrive before somebody waits for them."""

from __future__ import annotations

from mmap import mmap

SMALLEST = 64 << 10
KEPT = 8 << 20
"""Bytes of free buffers that a pool keeps: the kernel clears a fresh page, which costs as much as copying."""


class BufferPool:
    """Free buffers by size, powers of two. Not locked: its link's lock guards it.

    They are anonymous maps, so that what is not kept goes back to the system at once.
    """

    def __init__(self) -> None:
        self._free: dict[int, list[mmap]] = {}
        self._kept = 0

    def take(self, length: int) -> mmap:
        """A buffer with room for ``length`` bytes, at most the largest payload."""
        size = max(SMALLEST, 1 << (length - 1).bit_length())
        if free := self._free.get(size):
            self._kept -= size
            return free.pop()
        return mmap(-1, size)

    def give_back(self, buffer: mmap) -> None:
        """Takes back what nobody uses any more."""
        size = len(buffer)
        if self._kept + size <= KEPT:
            self._kept += size
            self._free.setdefault(size, []).append(buffer)
