"""The threads that serve: one for each open stream, and one that reads.

Whoever accepts a request serves it itself; before it starts, another thread must stand ready to accept.
"""

from __future__ import annotations

import contextlib
import threading

from udist_plugin.errors import TransportError
from udist_plugin.typed import TYPE_CHECKING, Final

KEPT: Final = 64
"""Threads that stay for more requests; what a burst has taken beyond goes back to the system."""

if TYPE_CHECKING:
    from collections.abc import Callable

    from udist_plugin.server.link import ServerExchange, ServerLink


class Workers:
    """Serves every request of ``link`` with ``serve``, on one thread for each stream that it may have and one
    more. Before all others ``set_up`` is called, in the first thread.

    ``served_one`` is set after the first, ``closed`` when no more requests are taken, and ``finished`` once
    those that were have been served too. ``ended_by`` is the error that ended the link, if one has.
    """

    def __init__(
        self,
        link: ServerLink,
        set_up: Callable[[], object],
        serve: Callable[[ServerExchange], None],
    ) -> None:
        self._link = link
        self._set_up = set_up
        self._serve = serve
        self._lock = threading.Lock()
        self._threads = 0
        self._idle = 0
        self.ended_by: TransportError | OSError | None = None
        self.served_one = threading.Event()
        self.closed = threading.Event()
        self.finished = threading.Event()

    def start(self) -> None:
        """Starts the first thread."""
        with self._lock:
            self._add(self._begin)

    def close(self) -> None:
        """No more requests are taken."""
        self.served_one.set()
        self.closed.set()
        self._look_around()

    def _add(self, run: Callable[[], None]) -> None:
        """Raises ``RuntimeError`` when the system gives no more threads."""
        name = f"udist-worker-{self._threads + 1}"
        threading.Thread(target=run, name=name, daemon=True).start()
        self._threads += 1
        self._idle += 1

    def _begin(self) -> None:
        self._set_up()
        self._run()

    def _run(self) -> None:
        try:
            while True:
                exchange = self._link.accept()
                with self._lock:
                    self._idle -= 1
                    if not self._idle and self._threads <= self._link.connection.max_streams:
                        with contextlib.suppress(RuntimeError):  # then whoever has served reads on
                            self._add(self._run)
                self._serve(exchange)
                if not self.served_one.is_set():
                    self.served_one.set()
                if self._link.output.broken:  # nobody reads any more, though requests may still come
                    raise self._link.output.broken
                if self.closed.is_set():
                    self._look_around()
                with self._lock:
                    if self._idle >= KEPT:
                        self._threads -= 1
                        break
                    self._idle += 1
            self._link.let_go()
        except (TransportError, OSError) as error:
            self.ended_by = self.ended_by or error
            self.close()

    def _look_around(self) -> None:
        if not self._link.connection.streams:
            self.finished.set()
