"""One writer at a time for each growing file of this process."""

from __future__ import annotations

import threading

from udist_plugin.drivers.base import LOCK_WAIT
from udist_plugin.errors import PathBusy


class Turns:
    """One writer at a time for each growing file of this process. Between plugins the store decides: of two
    segments with one offset the second is refused."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._changed = threading.Condition()

    def take(self, path: str) -> bool:
        """Waits its turn, ``LOCK_WAIT`` seconds at most; whether it had to. Raises ``PathBusy``."""
        with self._changed:
            waits = path in self._taken
            if not self._changed.wait_for(lambda: path not in self._taken, LOCK_WAIT):
                raise PathBusy("another writer is still writing to it; try again", path=path)
            self._taken.add(path)
            return waits

    def give_back(self, path: str) -> None:
        with self._changed:
            self._taken.discard(path)
            self._changed.notify_all()
