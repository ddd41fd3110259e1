"""Reads for tasks: an event loop sends its small requests itself, and one thread reads the answers to all.

A thread for each request would be woken for each; this one wakes the event loop once for all answers that
have come meanwhile.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from udist_plugin.client.bridge import IDLE, new_event, start_thread, wait_for
from udist_plugin.errors import DeadlineExceeded, TransportError
from udist_plugin.link.errors import late
from udist_plugin.link.waiter import Waiter

if TYPE_CHECKING:
    from collections.abc import Callable

    from udist_plugin.client.bridge import Bridge
    from udist_plugin.client.link import ClientLink
    from udist_plugin.link.exchange import Exchange


class Attendant:
    """Takes the reader's role of ``link`` while tasks of the event loop of ``bridge`` wait for exchanges."""

    def __init__(self, link: ClientLink, bridge: Bridge) -> None:
        self._link = link
        self._bridge = bridge
        self._waiter = Waiter()
        self._nudge = threading.Lock()
        self._nudge.acquire()
        # Under the link's lock:
        self._tasks = 0
        self._running = False
        self._asleep = False
        self._closed = False

    def begin(self) -> None:
        """A task is about to wait. Raises ``TransportError`` when the system gives no thread."""
        with self._link.lock:
            if not self._running:
                start_thread(self._serve)
                self._running = True
            self._tasks += 1
            self._rouse()

    def end(self) -> None:
        """The task waits no more."""
        with self._link.lock:
            self._tasks -= 1

    async def wait(self, exchange: Exchange, ready: Callable[[], bool]) -> None:
        """Returns once ``ready()``, which is called under the link's lock. Raises ``DeadlineExceeded``, and
        gives ``exchange`` up, when that takes too long."""
        event = new_event()

        def look() -> None:
            if ready():
                exchange.watcher = None
                self._bridge.wake(event)
            else:
                exchange.begin()

        with self._link.lock:
            if ready():
                return
            exchange.begin()
            exchange.watcher = look
        try:
            while not event.is_set():
                if exchange.over():
                    raise late()
                await wait_for(event, exchange.until)
        except DeadlineExceeded as error:
            self._link.cancel(exchange, error.code)
            raise
        finally:
            with self._link.lock:  # the reader may be about to call it
                exchange.watcher = None

    def close(self) -> None:
        """Ends the thread, once no task waits any more."""
        with self._link.lock:
            self._closed = True
            self._rouse()

    def _rouse(self) -> None:
        if self._asleep:
            self._asleep = False
            self._nudge.release()

    def _serve(self) -> None:
        while self._attend():
            if not self._nudge.acquire(timeout=IDLE) and self._dismissed():
                return

    def _dismissed(self) -> bool:
        """Whether this thread may end, as nobody has roused it at the last moment."""
        with self._link.lock:
            if not self._asleep:
                self._nudge.acquire()
                return False
            self._asleep = self._running = False
            return True

    def _attend(self) -> bool:
        """Reads while tasks wait. Whether to sleep then, rather than to end."""
        with self._link.lock:
            with suppress(TransportError):  # those who wait are told, too
                self._link.wait(self._waiter, lambda: not self._tasks)
            self._asleep = self._running = not (self._closed or self._link.error)
            return self._asleep
