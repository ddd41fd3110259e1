"""Memory for large manifests, which are read whole: room for few at once, whoever sends them."""

from __future__ import annotations

import threading
from collections import deque
from contextlib import contextmanager

from udist_plugin.http_api.errors import NoRoom
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Room:
    """``size`` bytes, given out in the order of those ``waiting``.

    What holds some may wait for its client, so who waits for it does so for at most ``patience`` seconds.
    """

    def __init__(self, size: int, patience: float) -> None:
        self._left = size
        self._patience = patience
        self._changed = threading.Condition()
        self.waiting: deque[object] = deque()

    @contextmanager
    def taken(self, size: int) -> Iterator[None]:
        """Holds ``size`` bytes within the ``with``. Raises ``NoRoom``."""
        ticket = object()
        with self._changed:
            self.waiting.append(ticket)
            try:
                mine = self._changed.wait_for(
                    lambda: self.waiting[0] is ticket and size <= self._left, self._patience
                )
                self._left -= size if mine else 0
            finally:  # whatever a signal handler raises: nobody waits behind one that has left
                self.waiting.remove(ticket)
                self._changed.notify_all()
        if not mine:
            raise NoRoom("too many large manifests are being pushed at once")
        try:
            yield
        finally:
            with self._changed:
                self._left += size
                self._changed.notify_all()
