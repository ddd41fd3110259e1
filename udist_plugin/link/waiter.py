"""Somebody who waits on a link, until a deadline."""

from __future__ import annotations

import time

from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable


def least(*bounds: float | None) -> float | None:
    """The smallest of ``bounds`` that are not ``None``, or ``None`` without any."""
    return min((each for each in bounds if each is not None), default=None)


class Waiter:
    """``deadline`` is on the monotonic clock and bounds all waits together, ``patience`` each of them; both
    are in seconds. ``until`` is what bounds the present one. ``gates`` are those of the threads asleep, and
    ``watcher`` stands for one that cannot sleep: it is called, under the link's lock, where they are woken.
    While ``excused``, what takes so long is this side's own work, and only ``deadline`` counts."""

    def __init__(self, deadline: float | None = None, patience: float | None = None) -> None:
        self.deadline = deadline
        self.patience = patience
        self.until: float | None = None
        self.excused = False
        self.gates: list[threading.Lock] = []
        self.watcher: Callable[[], None] | None = None

    def begin(self) -> float | None:
        """A wait begins; returns ``until``."""
        self.until = self.deadline
        if self.patience is not None:
            self.until = least(time.monotonic() + self.patience, self.deadline)
        return self.until

    def over(self) -> bool:
        """Whether the present wait has taken too long."""
        if self.until is not None and self.excused and time.monotonic() >= self.until:
            self.begin()
        return self.until is not None and time.monotonic() >= self.until

    @property
    def busy(self) -> bool:
        """Whether the reader writes into a buffer of this waiter's: then it cannot leave yet."""
        return False
