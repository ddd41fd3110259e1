"""Reading is a role.

A thread that waits for something takes the role if it is free, reads frames for everybody until its own wait
is over, and passes it on; the others sleep. So the frame that somebody waits for is read by whoever waits,
into that one's buffer, and mostly no message changes threads.
"""

from __future__ import annotations

import threading
import time

from udist_plugin.link.errors import late
from udist_plugin.link.input import Interrupted
from udist_plugin.link.keeper import Keeper
from udist_plugin.link.lock import take_back
from udist_plugin.link.waiter import Waiter
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from udist_plugin.errors import TransportError


class Idle(Waiter):
    """Stands for the threads that wait for a request: they have no deadline."""


IDLE = Idle()


class Role:
    """Who reads, and who sleeps meanwhile. ``lock`` is the link's; every method is called under it.

    ``read`` reads one frame and acts on it; it raises ``Interrupted`` when ``time_left`` is over. ``keeps``
    tells whether a thread that has read the only request at work keeps the role while it serves that request;
    see ``keeper``.
    """

    def __init__(
        self,
        lock: threading.Lock,
        read: Callable[[], object],
        keeps: Callable[[], bool] | None = None,
    ) -> None:
        self.error: TransportError | None = None
        self._lock = lock
        self._read = read
        self._keeps = keeps
        self._keeper = Keeper(lock, self._free) if keeps else None
        self._reader: Waiter | None = None
        self._yields = False
        self._idle: dict[threading.Lock, Waiter] = {}
        self._sleeping: dict[threading.Lock, Waiter] = {}

    def wait(self, who: Waiter, ready: Callable[[], bool]) -> None:
        """Returns once ``ready()``, reading frames meanwhile if nobody else does.

        ``who`` is the exchange whose events wake this thread, or ``IDLE``. Raises the link's error, or
        ``DeadlineExceeded`` when the wait has taken too long.
        """
        if ready():
            return
        if self._keeper and self._keeper.mine:
            self._keeper.let_go()
            self._reader = None
        if who is not IDLE:
            who.begin()
        try:
            while not ready():
                self._check(who)
                if self._reader is None and not self._take(who, ready):
                    continue
                self._sleep(who)
        finally:
            if self._reader is None:
                self._leave(who)

    def let_go(self) -> None:
        """Passes the role on, if this thread keeps it."""
        if self._keeper and self._keeper.mine:
            self._keeper.let_go()
            self._free()

    def wake(self, who: Waiter) -> None:
        """Wakes whoever waits for ``who``."""
        while who.gates:
            gate = who.gates.pop()
            if self._sleeping.pop(gate, None):
                gate.release()
        if who.watcher:
            who.watcher()

    @property
    def sleepers(self) -> int:
        """How many threads sleep in the middle of an exchange, until a frame comes for it."""
        return len(self._sleeping)

    def wake_idle(self) -> None:
        """Wakes one thread that waits for a request, unless the reader is one.

        A reader in the middle of an exchange yields the role to it: else each further request would change
        threads.
        """
        if self._idle and self._reader is not IDLE:
            self._yields = True
            self._pass_on()

    def fail(self, error: TransportError) -> None:
        """Ends every wait with ``error``, the first that is given."""
        self.error = self.error or error
        for sleeping in (self._idle, self._sleeping):
            while sleeping:
                sleeping.popitem()[0].release()

    def settled(self, timeout: float) -> bool:
        """Whether no thread reads any more, within ``timeout`` seconds. After ``fail``."""
        end = time.monotonic() + timeout
        waiter = Waiter(end)
        while self._reader is not None and time.monotonic() < end:
            waiter.begin()
            self._sleep(waiter)
        return self._reader is None

    @property
    def timed(self) -> bool:
        """Whether the reader may wait for a frame only until a time."""
        return self._reader is not None and self._reader.until is not None

    @property
    def time_left(self) -> float | None:
        """The seconds that the reader may wait for a frame; ``None`` for any time."""
        until = self._reader.until if self._reader else None
        return None if until is None else until - time.monotonic()

    def _check(self, who: Waiter) -> None:
        """Raises what ends a wait, but not while a reader fills a buffer that is about to be given up."""
        if who.busy:
            return
        if self.error:
            raise self.error
        if who.over():
            raise late()

    def _take(self, who: Waiter, ready: Callable[[], bool]) -> bool:
        """Reads frames until ``ready()`` or ``who``'s time is over, however many come for others. Whether the
        role was yielded before that: then another thread is about to take it."""
        self._reader, self._yields = who, False
        try:
            while not (self.error or ready() or who.over()):
                self._read()
                if self._yields:
                    return not (self.error or ready())
        except Interrupted:
            pass
        finally:
            self._reader = None
        return False

    def _sleep(self, who: Waiter) -> None:
        """Sleeps until woken, for one's own event or to take the role."""
        gate = threading.Lock()
        gate.acquire()
        sleeping = self._idle if who is IDLE else self._sleeping
        sleeping[gate] = who
        if who is not IDLE:
            who.gates.append(gate)
        try:
            self._lock.release()
            until = who.until
            gate.acquire(timeout=-1 if until is None else max(0, until - time.monotonic()) + 0.001)
        finally:
            try:
                take_back(self._lock)
            finally:
                sleeping.pop(gate, None)
                if gate in who.gates:
                    who.gates.remove(gate)

    def _leave(self, who: Waiter) -> None:
        """``who`` has waited, and nobody reads."""
        if self._keeper and self._keeps and who is IDLE and self._keeps() and self._keeper.keep():
            self._reader = IDLE
        else:
            self._pass_on()

    def _free(self) -> None:
        self._reader = None
        self._pass_on()

    def _pass_on(self) -> None:
        """The role is free: wakes one thread to take it, an idle one rather than one with work to do."""
        if self._idle:
            self._idle.popitem()[0].release()
        elif gate := next(iter(self._sleeping), None):
            self._sleeping.pop(gate).gates.remove(gate)
            gate.release()
