"""How one object is made of others by the service itself, as an upload whose parts are copies.

Every part but the last has 5 MiB at least. What is smaller goes through here, together with its neighbours.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final, NamedTuple

from udist_plugin.drivers.objects.limits import PART_MAX, PART_MIN
from udist_plugin.helpers import Helpers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from udist_plugin.drivers.objects.parts import PartsUpload
    from udist_plugin.drivers.objects.store import StoredObject

CUTS: Final = 9_000
"""Parts that copies are cut in at most; 10,000 is the service's limit, and sources have ends of their own."""
CARRIED_AT_ONCE: Final = 3
"""Parts in memory here."""


class Piece(NamedTuple):
    """Bytes of a source from ``start`` up to, not including, ``end``."""

    source: StoredObject
    start: int
    end: int

    @property
    def size(self) -> int:
        return self.end - self.start


class Join:
    """Fills ``upload`` with the parts of a plan; ``read`` brings a piece here."""

    def __init__(self, upload: PartsUpload, read: Callable[[Piece], bytes]) -> None:
        self._upload = upload
        self._read = read
        self._carrying = threading.BoundedSemaphore(CARRIED_AT_ONCE)

    def run(self, parts: Sequence[Sequence[Piece]], at_once: int) -> None:
        with Helpers(min(at_once, len(parts)), "udist-join") as pool:
            try:
                for _ in pool.map(self._make, range(1, len(parts) + 1), parts):
                    pass
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise

    def _make(self, number: int, pieces: Sequence[Piece]) -> None:
        if len(pieces) == 1 and pieces[0].size >= PART_MIN:
            self._upload.copy(number, *pieces[0])
            return
        with self._carrying:
            self._upload.send(number, b"".join(map(self._read, pieces)))


def plan(sources: Sequence[StoredObject], copied: int) -> list[list[Piece]]:
    """The pieces of each part, in order: one piece of about ``copied`` bytes, or small ones together."""
    copied = max(copied, -(-sum(source.size for source in sources) // CUTS))
    parts: list[list[Piece]] = []
    small: list[Piece] = []
    gathered = 0
    for source in sources:
        start = 0
        if small and source.size:
            start = min(source.size, PART_MIN - gathered)
            small.append(Piece(source, 0, start))
            gathered += start
            if gathered == PART_MIN:
                parts.append(small)
                small = []
        while (left := source.size - start) >= PART_MIN:
            end = source.size if left < copied + PART_MIN and left <= PART_MAX else start + copied
            parts.append([Piece(source, start, end)])
            start = end
        if start < source.size:
            small.append(Piece(source, start, source.size))
            gathered = source.size - start
    if small:
        parts.append(small)
    return parts
