"""Somebody who waits on a link, until a deadline."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import threading


class Waiter:
    """``deadline`` is on the monotonic clock, in seconds. ``gates`` are those of the threads asleep."""

    def __init__(self, deadline: float | None = None) -> None:
        self.deadline = deadline
        self.gates: list[threading.Lock] = []

    @property
    def busy(self) -> bool:
        """Whether the reader writes into a buffer of this waiter's: then it cannot leave yet."""
        return False
