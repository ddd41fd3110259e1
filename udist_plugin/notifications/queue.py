"""Events on their way to one endpoint: in order, repeated until they are delivered, and never in the way of a
request."""

from __future__ import annotations

import threading
from collections import deque
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple, Protocol

from udist_plugin.errors import UdistError

if TYPE_CHECKING:
    from collections.abc import Callable

    from udist_plugin.notifications.events import Envelope
    from udist_plugin.notifications.spool import Spool
    from udist_plugin.wrappers.notifying import Occurrence

    Record = Callable[[str, str], object]

CANCELLED = 1.0
"""Seconds that closing waits for a delivery that it has cancelled."""


class NotDelivered(UdistError):
    """The endpoint did not take an event. ``status`` is that of its response, 0 if there was none."""

    def __init__(self, reason: str, status: int = 0) -> None:
        super().__init__(reason)
        self.status = status


class Endpoint(Protocol):
    """Where envelopes are delivered, one at a time."""

    def deliver(self, body: bytes) -> int:
        """Returns the status of the response, 0 where there is none. Raises ``NotDelivered``."""

    def close(self) -> None:
        """Ends a delivery that is under way in another thread, and releases what the endpoint holds."""


class Rules(NamedTuple):
    """How an endpoint is treated. After each failure in a row the pause before the next attempt grows, up to
    ``backoff`` seconds after ``threshold`` of them. Envelopes of about ``limit`` bytes wait at
    most. Events of the media types and actions ``ignored`` are not sent."""

    threshold: int = 10
    backoff: float = 1.0
    limit: int = 16 << 20
    ignored: frozenset[str] = frozenset()

    def pause(self, failures: int) -> float:
        return self.backoff * min(failures, self.threshold) / self.threshold


class Meter(Protocol):
    """Counts for ``/metrics``, by distribution's names."""

    def count(self, kind: str, number: int = 1, /) -> None: ...

    def answered(self, status: int, /) -> None: ...

    def pending(self, change: int, /) -> None: ...


class Queue:
    """Delivers events to ``endpoint``, called ``name`` in the log, in a thread of its own.

    If more wait than there is room for, the oldest are dropped. They are counted, and the log tells how many.
    With a ``spool``, events that wait are on disk, too.
    """

    def __init__(
        self,
        name: str,
        endpoint: Endpoint,
        rules: Rules,
        meter: Meter | None = None,
        spool: Spool | None = None,
    ) -> None:
        self._name = name
        self._endpoint = endpoint
        self._rules = rules
        self._meter = meter
        self._spool = spool
        self._changed = threading.Condition()
        self._waiting: deque[Envelope] = deque()
        self._size = 0
        self._dropped = 0
        self._failures = 0
        self._closing = threading.Event()
        self._ended = threading.Event()
        self._record: Record = _unrecorded
        self._thread: threading.Thread | None = None

    def wants(self, occurrence: Occurrence) -> bool:
        return not self._rules.ignored & {occurrence.action, occurrence.media_type}

    def put(self, event: Envelope) -> None:
        """Returns at once, whatever the endpoint does."""
        if self._spool:
            try:
                self._spool.keep(event)
            except OSError as error:
                self._record("error", f"{self._name}: an event is kept in memory only: {error}")
        with self._changed:
            self._waiting.append(event)
            self._count(1)
            self._size += event.size
            dropped = self._make_room()
            self._changed.notify()
        if dropped:
            self._tell_dropped(dropped)

    def start(self, record: Record) -> None:
        """``record`` takes a level and a message for the log."""
        self._record = record
        thread = threading.Thread(target=self._run, name="udist-notify", daemon=True)
        thread.start()
        self._thread = thread

    def drain(self) -> None:
        """From now on the thread ends when nothing waits, or with a spool also when a delivery fails."""
        self._closing.set()
        with self._changed:
            self._changed.notify()

    def close(self, timeout: float) -> None:
        """Waits up to ``timeout`` seconds for what waits; the rest is counted and logged."""
        self.drain()
        if self._thread is not None:
            self._thread.join(timeout)
            self._ended.set()
            self._endpoint.close()
            self._thread.join(CANCELLED)
        self._tell_all_dropped()
        if left := len(self._waiting):
            after = f"kept in {self._spool.place} for the next start" if self._spool else "lost"
            self._record(
                "info" if self._spool else "error", f"{self._name}: {left} events were not sent: {after}"
            )
        if self._spool:
            self._spool.close()

    def _run(self) -> None:
        self._adopt()
        while (event := self._next()) is not None:
            try:
                status = self._endpoint.deliver(event.body)
            except NotDelivered as error:
                self._failed(error)
                if self._spool and self._closing.is_set():
                    return
                self._wait(self._rules.pause(self._failures))
            else:
                self._delivered(event, status)

    def _adopt(self) -> None:
        """Puts what earlier processes left behind before everything else."""
        if self._spool is None:
            return
        try:
            events, given_up = self._spool.adopt(self._rules.limit)
        except OSError as error:
            self._record("error", f"{self._name}: the spool could not be read: {error}")
            return
        with self._changed:
            self._waiting.extendleft(reversed(events))
            self._count(len(events))
            self._size += sum(event.size for event in events)
            given_up += self._make_room()
        if given_up:
            self._tell_dropped(given_up)

    def _next(self) -> Envelope | None:
        """The first event that waits, which stays; ``None`` at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing.is_set())
            return self._waiting[0] if self._waiting and not self._ended.is_set() else None

    def _wait(self, pause: float) -> None:
        """Until the next attempt, which comes at once when closing begins. No event wakes the thread."""
        (self._ended if self._closing.is_set() else self._closing).wait(pause)

    def _delivered(self, event: Envelope, status: int) -> None:
        with self._changed:
            if self._waiting and self._waiting[0] is event:  # or it was dropped meanwhile
                self._drop_first()
        if self._spool:
            self._spool.remove(event)
        if self._meter:
            self._meter.count("Successes")
            self._meter.answered(status)
        if self._failures:
            self._record("info", f"{self._name}: delivered again; failed attempts: {self._failures}")
        self._failures = 0
        self._tell_all_dropped()

    def _failed(self, error: NotDelivered) -> None:
        """Only the first failure in a row is logged, and the one from which on the pauses are long."""
        self._failures += 1
        if self._meter:
            self._meter.count("Failures" if error.status else "Errors")
            self._meter.answered(error.status)
        if self._failures in (1, self._rules.threshold):
            again = f"the next attempt is in {self._rules.pause(self._failures):g} s"
            self._record("warn", f"{self._name}: attempt {self._failures} failed: {error}; {again}")

    def _make_room(self) -> int:
        """Drops the oldest events, with the lock held; returns how many."""
        dropped = 0
        while self._size > self._rules.limit:
            event = self._drop_first()
            if self._spool:
                self._spool.remove(event)
            dropped += 1
        return dropped

    def _drop_first(self) -> Envelope:
        event = self._waiting.popleft()
        self._size -= event.size
        self._count(-1)
        return event

    def _tell_dropped(self, number: int) -> None:
        if not self._dropped:
            self._record("error", f"{self._name}: too many events are waiting; the oldest are dropped")
        self._dropped += number
        if self._meter:
            self._meter.count("Dropped", number)

    def _tell_all_dropped(self) -> None:
        dropped, self._dropped = self._dropped, 0
        if dropped:
            self._record("error", f"{self._name}: {dropped} events were dropped meanwhile")

    def _count(self, change: int) -> None:
        if self._meter:
            self._meter.pending(change)
            if change > 0:
                self._meter.count("Events", change)


def _unrecorded(level: str, message: str) -> None:
    """There is no log before the start."""


class Notifications:
    """All ``queues`` as one job, which closes within ``timeout`` seconds; closing twice is closing once."""

    def __init__(self, queues: list[Queue], timeout: float) -> None:
        self.queues = queues
        self._closed = False
        self._timeout = timeout

    def start(self, record: Record) -> None:
        for queue in self.queues:
            queue.start(record)

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        end = monotonic() + self._timeout
        for queue in self.queues:
            queue.drain()
        for queue in self.queues:
            queue.close(max(0.0, end - monotonic()))
