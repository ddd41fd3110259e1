"""Several files at once."""

from __future__ import annotations

import queue
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from udist_plugin.errors import Cancelled
from udist_plugin.remote.transport import can_cancel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

CONCURRENCY: Final = 5
"""Files that are pushed or pulled at once unless the caller says otherwise, as in oras."""

CONCURRENCY_MAX: Final = 64
"""The most that the command line takes: as many requests as any plugin serves at once."""

ROUND: Final = 1.0
"""Seconds after which whatever was begun since the last cancellation is cancelled, too."""

ENDING: Final = 10.0
"""Seconds that cancelled threads have to remove what they left half done."""

Item = TypeVar("Item")
Result = TypeVar("Result")


class Stop:
    """Ends what several threads do with ``parties``: registries, or an image's source and destination."""

    def __init__(self, *parties: object) -> None:
        self._parties = parties
        self.stopped = False

    def now(self) -> None:
        """Cancels what the threads wait for, too, where that can be done."""
        self.stopped = True
        for party in self._parties:
            if can_cancel(party):
                party.cancel()

    def check(self) -> None:
        """Called between steps that make no request. Raises ``Cancelled``."""
        if self.stopped:
            raise Cancelled("another file failed, or the whole was interrupted")


def in_parallel(
    act: Callable[[Item], Result], items: Sequence[Item], concurrency: int, stop: Stop
) -> list[Result]:
    """What ``act`` returns for each of ``items``, in their order; at most ``concurrency`` run at once.

    The first failure, or an interrupt, stops the others, and is raised once they have ended.
    """
    if concurrency <= 1 or len(items) <= 1:
        return [act(item) for item in items]
    work = _Work(act, items, stop)
    try:
        work.begin(min(concurrency, len(items)))
        work.wait()
    except BaseException:
        stop.now()
        work.wait()
        raise
    if work.errors:
        raise work.errors[0]
    return [work.results[number] for number in range(len(items))]


class _Work(Generic[Item, Result]):
    """Threads that share ``items``.

    They are not joined: a join that is interrupted takes a thread that runs for one that has ended (Python
    3.11). ``_busy`` has those that may be at work, and ``_ended`` gets one entry from each.
    """

    def __init__(self, act: Callable[[Item], Result], items: Sequence[Item], stop: Stop) -> None:
        self.results: dict[int, Result] = {}
        self.errors: list[BaseException] = []
        self._act = act
        self._stop = stop
        self._items = enumerate(items)  # one call gives one item, so threads can share it
        self._begun = 0
        self._busy: set[int] = set()
        self._ended: queue.SimpleQueue[None] = queue.SimpleQueue()

    def begin(self, threads: int) -> None:
        try:
            for _ in range(threads):
                threading.Thread(target=self._run, name="udist-transfer", daemon=True).start()
                self._begun += 1
        except RuntimeError:  # the system gives no more threads
            self._begun += 1
            self._run()

    def wait(self) -> None:
        """Returns once all threads have ended, or have had the time for it after a stop."""
        while self._begun and not self._stop.stopped:
            with suppress(queue.Empty):
                self._ended.get(timeout=ROUND)
                self._begun -= 1
        deadline = time.monotonic() + ENDING
        while self._busy and time.monotonic() < deadline:
            try:
                self._ended.get(timeout=ROUND)
            except queue.Empty:
                self._stop.now()

    def _run(self) -> None:
        self._busy.add(threading.get_ident())  # before the first look at the stop
        try:
            while not self._stop.stopped and (next_one := next(self._items, None)) is not None:
                number, item = next_one
                self.results[number] = self._act(item)
        except BaseException as error:
            self.errors.append(error)
            self._stop.now()
        finally:
            self._busy.discard(threading.get_ident())
            self._ended.put(None)
