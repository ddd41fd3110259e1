"""From tasks to threads: what may wait is done by a thread, and the task that wants it is woken at the end.

``anyio.to_thread`` does so too, but wakes the event loop for every call, which takes about half as long as a
small request. Here one wake-up serves all calls that have ended meanwhile.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import deque
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Final

from udist_plugin.errors import TransportError
from udist_plugin.exhaustion import no_thread

try:
    import anyio
    from anyio import to_thread
except ImportError as error:
    hint = "anyio is not installed; pip install '.[httpx]' in a checkout of udist"
    raise ImportError(hint) from error

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    Result = TypeVar("Result")

IDLE: Final = 10.0
"""Seconds after which a thread without work ends."""


class Bridge:
    """Threads for the tasks of one event loop, which has to run when this is made.

    A request has one of ``turns`` until its response is there; reading that needs none. At most twice as many
    threads are started: a reader, which has one of the plugin's slots, never waits for one.
    """

    def __init__(self, turns: int) -> None:
        self._turns = anyio.Semaphore(turns)
        self._most = 2 * turns
        self._soon = _calling_soon()
        self._lock = threading.Lock()  # guards the two numbers, and what they say about the queue
        self._threads = 0
        self._unfinished = 0
        self._begun: SimpleQueue[_Work | None] = SimpleQueue()
        self._ended: deque[anyio.Event] = deque()
        self._waking = False

    @property
    def here(self) -> bool:
        """Whether this task is one of that event loop's."""
        return self._soon == _calling_soon()

    async def take_turn(self, until: float | None) -> bool:
        """Waits for a turn; ``False`` if there is none by ``until``, on the monotonic clock."""
        with suppress(anyio.WouldBlock):
            self._turns.acquire_nowait()
            return True
        with _until(until):
            await self._turns.acquire()
            return True
        return False

    def give_turn(self) -> None:
        """Lets another request have it."""
        self._turns.release()

    async def run(self, action: Callable[[], Result]) -> Result:
        """What ``action`` returns or raises, in a thread. A task that is cancelled leaves at once, and has to
        make the action end. Raises ``TransportError`` when the system gives no thread."""
        work = _Work(action)
        try:
            self._begin(work)
            await work.ended.wait()
            if work.error is not None:
                raise work.error
            result: Result = work.result
            return result
        finally:
            work.unwanted, work.error = True, None  # an error holds the frames that hold it
            del work

    def wake(self, event: anyio.Event) -> None:
        """Sets ``event`` in the event loop. Any thread may call this."""
        self._ended.append(event)
        if not self._waking:
            self._waking = True
            with suppress(RuntimeError):  # the event loop has ended
                self._soon(self._wake)

    def close(self) -> None:
        """Ends the threads that have nothing to do, and the others when they have done it."""
        with self._lock:
            for _ in range(self._threads):
                self._begun.put(None)
            self._threads = 0  # what begins after all gets another

    def _begin(self, work: _Work) -> None:
        with self._lock:
            self._unfinished += 1
            self._begun.put(work)
            if self._unfinished <= self._threads or self._threads == self._most:
                return
            self._threads += 1
        try:
            start_thread(self._serve)
        except (RuntimeError, TransportError):
            with self._lock:
                self._threads -= 1
                others = self._threads
            if not others:
                raise

    def _serve(self) -> None:
        while work := self._next():
            if not work.unwanted:
                work.do()
            with self._lock:
                self._unfinished -= 1
            self.wake(work.ended)
            del work  # its result may be dropped while this thread waits

    def _next(self) -> _Work | None:
        while True:
            with suppress(Empty):
                return self._begun.get(timeout=IDLE)
            with self._lock:
                if self._begun.empty():
                    self._threads -= 1
                    return None

    def _wake(self) -> None:
        self._waking = False  # before the look: what ends from now on asks for another
        while self._ended:
            self._ended.popleft().set()


class _Work:
    """A call on its way through the bridge."""

    def __init__(self, action: Callable[[], Any]) -> None:
        self._action = action
        self.ended = anyio.Event()
        self.unwanted = False
        self.result: Any = None
        self.error: BaseException | None = None

    def do(self) -> None:
        try:
            self.result = self._action()
        except BaseException as error:
            self.error = error


def start_thread(target: Callable[[], None]) -> None:
    """Runs ``target`` in a thread of its own. Raises ``TransportError`` when the system gives none."""
    try:
        threading.Thread(target=target, name="udist-async", daemon=True).start()
    except RuntimeError as error:
        if not no_thread(error):
            raise
        raise TransportError(str(error), code="RESOURCE_EXHAUSTED", retryable=True) from None


def new_event() -> anyio.Event:
    """Something that ``wait_for`` waits for and ``Bridge.wake`` sets."""
    return anyio.Event()


async def wait_for(event: anyio.Event, until: float | None) -> None:
    """Waits for ``event``, not beyond ``until``, on the monotonic clock."""
    with _until(until):
        await event.wait()


def _until(end: float | None) -> anyio.CancelScope:
    return anyio.move_on_after(None if end is None else end - time.monotonic())


async def run_abandoned(action: Callable[[], object]) -> None:
    """Runs ``action`` in a thread, which goes on with it when the task is cancelled."""
    await to_thread.run_sync(action, abandon_on_cancel=True, limiter=anyio.CapacityLimiter(1))


async def run_shielded(action: Callable[[], object]) -> None:
    """Runs ``action`` in a thread, to its end even if the task is cancelled."""
    with anyio.CancelScope(shield=True):
        await to_thread.run_sync(action, limiter=anyio.CapacityLimiter(1))


def _calling_soon() -> Callable[[Callable[[], None]], object]:
    """What makes this task's event loop call something soon, from any thread."""
    if "trio" in sys.modules:
        import trio

        if trio.lowlevel.in_trio_task():
            return trio.lowlevel.current_trio_token().run_sync_soon
    import asyncio

    return asyncio.get_running_loop().call_soon_threadsafe
