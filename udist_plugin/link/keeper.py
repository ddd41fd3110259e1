"""The reader's role, kept by a thread that serves the only request at work.

Passing the role on wakes another thread, and the two then compete for the interpreter: for a small request
that takes longer than the request itself. So the thread that has read it keeps the role, and mostly is back
to read the next one before anybody could have missed it. A guard passes the role on for a thread that is not.
"""

from __future__ import annotations

import threading
import time

from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

KEPT: Final = 0.002
"""Seconds between looks of the guard: a request arriving meanwhile waits for as long, or twice."""


class Keeper:
    """Who keeps the role. ``lock`` is the link's and guards all of it; ``pass_on`` is called under it."""

    def __init__(self, lock: threading.Lock, pass_on: Callable[[], None]) -> None:
        self._lock = lock
        self._pass_on = pass_on
        self._thread = 0
        self._times = 0
        self._resting = threading.Semaphore(0)
        self._awake = False
        self._started = False

    @property
    def mine(self) -> bool:
        """Whether this thread keeps the role."""
        return self._thread == threading.get_ident()

    def keep(self) -> bool:
        """This thread keeps the role until it takes it back, or the guard passes it on. ``False`` when the
        system gives no thread for a guard: then nobody keeps it."""
        if not self._started:
            try:
                threading.Thread(target=self._guard, name="udist-guard", daemon=True).start()
            except RuntimeError:
                return False
            self._started = self._awake = True
        self._thread = threading.get_ident()
        self._times += 1
        if not self._awake:
            self._awake = True
            self._resting.release()
        return True

    def let_go(self) -> None:
        """Nobody keeps the role."""
        self._thread = 0

    def _guard(self) -> None:
        while True:
            seen = self._times
            time.sleep(KEPT)
            with self._lock:
                if self._times != seen:
                    continue
                if self._thread:
                    self._thread = 0
                    self._pass_on()
                self._awake = False
            self._resting.acquire()
