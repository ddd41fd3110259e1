"""Abandoned uploads, removed every now and then in a thread: distribution's ``uploadpurging``."""

from __future__ import annotations

import os
import threading

from udist_plugin.errors import StorageError
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from udist_plugin.drivers.base import StorageDriver

    Record = Callable[[str, str], object]

FIRST_PURGE = 3600.0
"""Seconds within which the first purge begins. When exactly is chance, so that plugins on one store do not
all walk it at once, and so that many short lives purge as often as a long one."""
CLOSING = 1.0
"""Seconds that closing waits for a purge that runs."""


class Purging:
    """Every ``interval`` seconds, uploads older than ``age`` are removed; with ``dry_run`` only named."""

    def __init__(self, driver: StorageDriver, age: float, interval: float, *, dry_run: bool = False) -> None:
        self._driver = driver
        self._age = age
        self._interval = min(interval, threading.TIMEOUT_MAX)
        self._dry_run = dry_run
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, record: Record) -> None:
        """``record`` takes a level and a message for the log."""
        thread = threading.Thread(target=self._run, args=(record,), name="udist-purge", daemon=True)
        thread.start()
        self._thread = thread

    def close(self) -> None:
        """No further purge begins; one that has is left behind after a second."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(CLOSING)

    def _run(self, record: Record) -> None:
        chance = int.from_bytes(os.urandom(4)) / 2**32
        wait = min(self._interval, FIRST_PURGE) * chance
        while not self._stop.wait(wait):
            self._purge(record)
            wait = self._interval

    def _purge(self, record: Record) -> None:
        from udist_plugin.storage.upkeep.purge import purge_uploads

        try:
            purged = purge_uploads(self._driver, self._age, dry_run=self._dry_run)
        except StorageError as error:
            record("error", f"uploads were not purged: {error}")
            return
        for failure in purged.errors:
            record("warn", f"not purged: {failure}")
        for path in purged.paths:
            record("info", f"would be purged: {path}" if self._dry_run else f"purged: {path}")
