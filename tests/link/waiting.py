"""A bounded wait for what another thread is about to do, where nothing else tells that it has."""

from __future__ import annotations

import os
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
