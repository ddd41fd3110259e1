"""Who the server lives for: the process that started it, and hosts that have taken it over."""

from __future__ import annotations

import os
import threading
import time
from contextlib import contextmanager

from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LOOK: Final = 0.2
"""Seconds between looks at whether the parent lives. A parent-death signal would follow the thread that
spawned this process, and kill healthy servers."""


class Presence:
    """Whether anybody has a call open, and since when nobody has."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open = 0
        self._left = time.monotonic()

    @contextmanager
    def call(self) -> Iterator[None]:
        """A call is open meanwhile."""
        with self._lock:
            self._open += 1
        try:
            yield
        finally:
            with self._lock:
                self._open -= 1
                self._left = time.monotonic()

    def absent(self, since: float) -> float:
        """Seconds for which nobody has had a call open, counted from ``since`` at the earliest."""
        with self._lock:
            return 0.0 if self._open else time.monotonic() - max(self._left, since)


def watch(parent: int, keep: float, presence: Presence, leave: Callable[[], object]) -> None:
    """Calls ``leave``, in a thread of its own, once the process ``parent`` is no longer this one's, and after
    that nobody has had a call open for ``keep`` seconds. With 0, calls of others do not count."""

    def run() -> None:
        while os.getppid() == parent:
            time.sleep(LOOK)
        gone = time.monotonic()
        while keep and presence.absent(gone) < keep:
            time.sleep(min(LOOK, keep))
        leave()

    threading.Thread(target=run, name="udist-host", daemon=True).start()
