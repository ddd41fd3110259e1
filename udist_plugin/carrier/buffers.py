"""Buffers for payloads that arrive before somebody waits for them."""

from __future__ import annotations

SIZES = (64 << 10, 256 << 10, 1 << 20)
KEPT = 8 << 20
"""Bytes of free buffers that a pool keeps: allocating a fresh MiB costs as much as copying it."""


class BufferPool:
    """Free buffers by size. Not locked: its link's lock guards it."""

    def __init__(self) -> None:
        self._free: dict[int, list[bytearray]] = {size: [] for size in SIZES}
        self._kept = 0

    def take(self, length: int) -> bytearray:
        """A buffer with room for ``length`` bytes, at most the largest payload."""
        size = next(size for size in SIZES if length <= size)
        if self._free[size]:
            self._kept -= size
            return self._free[size].pop()
        return bytearray(size)

    def give_back(self, buffer: bytearray) -> None:
        """Takes back what nobody uses any more."""
        size = len(buffer)
        if self._kept + size <= KEPT:
            self._kept += size
            self._free[size].append(buffer)
