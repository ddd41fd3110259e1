"""Waits for whatever the driver and the plugin's pipes bring; every wait is bounded."""

from __future__ import annotations

import selectors
import time
from typing import TYPE_CHECKING

from udist_plugin.testing.callers.errors import Unexpected

if TYPE_CHECKING:
    from collections.abc import Callable


class Pump:
    """Calls back for descriptors that are ready, while somebody waits. ``timeout`` bounds each wait."""

    def __init__(self, timeout: float) -> None:
        self.timeout = timeout
        self._selector = selectors.DefaultSelector()

    def watch(self, fd: int, ready: Callable[[], None], *, writing: bool = False) -> None:
        """From now on calls ``ready`` when ``fd`` is readable, or writable."""
        self._selector.register(fd, selectors.EVENT_WRITE if writing else selectors.EVENT_READ, ready)

    def forget(self, fd: int) -> None:
        """``fd`` is about to be closed, or has nothing to write; twice is once."""
        if fd in self._selector.get_map():
            self._selector.unregister(fd)

    def until(self, reached: Callable[[], object], expected: str, timeout: float = 0.0) -> None:
        """Waits until ``reached()``. Raises ``Unexpected`` after ``timeout``, by default that of the pump."""
        limit = timeout or self.timeout
        end = time.monotonic() + limit
        while not reached():
            left = end - time.monotonic()
            if left <= 0:
                raise Unexpected(f"expected {expected}, within {limit:g} s")
            self.turn(left)

    def turn(self, timeout: float) -> None:
        """Waits once, and calls back for what is ready."""
        for key, _ in self._selector.select(timeout):
            if key.fd in self._selector.get_map():  # what went before may have closed it
                key.data()

    def close(self) -> None:
        self._selector.close()
