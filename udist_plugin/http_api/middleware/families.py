"""Families of metrics. Counting needs no library; ``exposition`` formats them.

Each registry has families of its own, as those of a library may be shared by the whole process. Any number of
threads may count at once.
"""

from __future__ import annotations

import threading
from bisect import bisect_left

from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    Labels = tuple[str, ...]

SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Bounds of a histogram of seconds, Prometheus's own."""
BYTES: Final = tuple(float(1 << power) for power in range(10, 32))
"""Bounds of a histogram of sizes: 1 KiB to 2 GiB."""


class Family:
    """Metrics of one name, one for each combination of values of ``labels``."""

    def __init__(self, name: str, text: str, labels: Sequence[str] = ()) -> None:
        self.name = name
        self.text = text
        self.labels = labels
        self._lock = threading.Lock()


class Counter(Family):
    """Numbers that only rise."""

    def __init__(self, name: str, text: str, labels: Sequence[str] = ()) -> None:
        super().__init__(name, text, labels)
        self._values: dict[Labels, int] = {}

    def add(self, labels: Labels = (), amount: int = 1) -> None:
        with self._lock:
            self._values[labels] = self._values.get(labels, 0) + amount

    def values(self) -> list[tuple[Labels, int]]:
        with self._lock:
            return list(self._values.items())


class Gauge(Counter):
    """Numbers that rise and fall."""


class Histogram(Family):
    """How many values are up to each of ``bounds``, which rise, and what they come to."""

    def __init__(self, name: str, text: str, labels: Sequence[str], bounds: Sequence[float]) -> None:
        super().__init__(name, text, labels)
        self.bounds = bounds
        self._counts: dict[Labels, list[int]] = {}
        self._sums: dict[Labels, float] = {}

    def observe(self, labels: Labels, value: float) -> None:
        with self._lock:
            if (counts := self._counts.get(labels)) is None:
                counts = self._counts[labels] = [0] * (len(self.bounds) + 1)
            counts[bisect_left(self.bounds, value)] += 1
            self._sums[labels] = self._sums.get(labels, 0) + value

    def values(self) -> list[tuple[Labels, list[int], float]]:
        """The counts between the bounds, those above the last one included, and the sum."""
        with self._lock:
            return [(labels, list(counts), self._sums[labels]) for labels, counts in self._counts.items()]
