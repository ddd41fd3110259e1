"""Files that take no room on the disk for zeros."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

BLOCK: Final = 16 << 10
"""Bytes of zeros that become a hole: some blocks of any file system, and few enough to look at per chunk."""

PIECE: Final = 32 << 10
"""Bytes written at a time. For more, Linux looks for larger pieces of memory, which are seldom at hand: a MiB
at a time takes twice as long."""

_ZEROS = bytes(BLOCK)


class SparseFile(io.FileIO):
    """A new file in which blocks of zeros are holes. It is written once, from its start to its end."""

    def __init__(self, fd: int) -> None:
        super().__init__(fd, "w")
        self._size = 0
        self._ends_in_hole = False

    def write(self, data: ReadableBuffer, /) -> int:
        """Writes some of the next bytes, not beyond where a hole begins or ends, and returns their number."""
        view = memoryview(data).cast("B")[:PIECE]
        end = -self._size % BLOCK
        self._ends_in_hole = end == 0 and _is_hole(view, 0)
        while end < len(view) and _is_hole(view, end) == self._ends_in_hole:
            end += BLOCK
        if self._ends_in_hole:
            self.seek(end, os.SEEK_CUR)
            written = end
        else:
            written = super().write(view[:end])
        self._size += written
        return written

    def close(self) -> None:
        try:
            if not self.closed and self._ends_in_hole:
                self.truncate()
        finally:
            super().close()


def _is_hole(view: memoryview, start: int) -> bool:
    return len(view) >= start + BLOCK and view[start] == 0 and view[start : start + BLOCK].tobytes() == _ZEROS
