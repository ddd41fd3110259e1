"""Waits for what another thread is about to do, where nothing else tells that it has; each is bounded."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

PATIENCE = 30.0
"""Seconds, on the busiest machine."""


def until(condition: Callable[[], T]) -> T:
    """Calls ``condition`` until what it returns is true, and returns that."""
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline
        os.sched_yield()
    return found


class Gate:
    """A lock that notes how long each wait for it may take."""

    def __init__(self, waits: list[float]) -> None:
        self._waits = waits
        self._lock = threading.Lock()
        self.release = self._lock.release

    def acquire(self, timeout: float = -1) -> bool:
        self._waits.append(timeout)
        return self._lock.acquire(timeout=timeout)
