"""The threads that serve: one for each open stream, and one that reads.

Whoever accepts a request serves it itself; before it starts, another thread must stand ready to accept.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from udist_plugin.errors import TransportError

if TYPE_CHECKING:
    from collections.abc import Callable

    from udist_plugin.carrier.exchange import Exchange
    from udist_plugin.server.link import ServerLink


class Workers:
    """Serves every request of ``link`` with ``serve``, on at most as many threads as streams, plus one.

    ``served_one`` is set after the first, ``finished`` once no more requests come and all accepted ones were
    served; ``ended_by`` is then the error that ended the link.
    """

    def __init__(self, link: ServerLink, serve: Callable[[Exchange], None], most: int) -> None:
        self._link = link
        self._serve = serve
        self._most = most
        self._lock = threading.Lock()
        self._threads = 0
        self._idle = 0
        self.ended_by: TransportError | OSError | None = None
        self.closed = threading.Event()
        self.served_one = threading.Event()
        self.finished = threading.Event()

    def start(self) -> None:
        """Starts the first thread."""
        with self._lock:
            self._add()

    def _add(self) -> None:
        self._threads += 1
        self._idle += 1
        threading.Thread(target=self._run, name=f"udist-worker-{self._threads}", daemon=True).start()

    def _run(self) -> None:
        try:
            while True:
                exchange = self._link.accept()
                with self._lock:
                    self._idle -= 1
                    if not self._idle and self._threads < self._most:
                        self._add()
                self._serve(exchange)
                self.served_one.set()
                with self._lock:
                    self._idle += 1
        except (TransportError, OSError) as error:
            self._leave(error)

    def _leave(self, error: TransportError | OSError) -> None:
        with self._lock:
            self.ended_by = self.ended_by or error
            self._threads -= 1
            self.closed.set()
            self.served_one.set()
            if not self._threads:
                self.finished.set()
