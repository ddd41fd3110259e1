"""Warnings of a driver, each logged once."""

from __future__ import annotations

import threading

from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Record = Callable[[str, str], object]
    """Takes a level (debug, info, warn, error) and a message for the log."""


class Once:
    """Safe from any thread. What is said before ``start`` is logged then."""

    def __init__(self) -> None:
        self._record: Record | None = None
        self._said: dict[str, str] = {}
        self._lock = threading.Lock()

    def warn(self, about: str, message: str) -> None:
        """Logs the first message ``about`` something."""
        with self._lock:
            if about in self._said:
                return
            self._said[about] = message
            record = self._record
        if record is not None:
            record("warn", message)

    def start(self, record: Record) -> None:
        """From now on ``record`` takes what there is to say."""
        with self._lock:
            self._record = record
            said = list(self._said.values())
        for message in said:
            record("warn", message)
