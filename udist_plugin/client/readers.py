"""Content that comes in pieces, as something to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class PieceReader:
    """Reads what ``pieces`` yields, a piece at a time or less."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces: Iterator[bytes] = iter(pieces)
        self._rest = memoryview(b"")

    def read(self, size: int = -1, /) -> bytes:
        if size < 0:
            return b"".join([bytes(self._rest), *self._pieces])
        while size and not self._rest:
            try:
                self._rest = memoryview(next(self._pieces))
            except StopIteration:
                break
        data = bytes(self._rest[:size])
        self._rest = self._rest[size:]
        return data
