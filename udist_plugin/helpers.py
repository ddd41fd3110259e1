"""Threads that help with a request, as far as the system gives any."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Generic, ParamSpec, TypeVar

from udist_plugin.exhaustion import no_thread

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")


class Helpers(ThreadPoolExecutor):
    """A pool whose ``submit``, and so ``map``, does the work itself when no thread can be had for it."""

    def submit(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        once = _Once(lambda: work(*args, **kwargs))
        try:
            super().submit(once)
        except RuntimeError as error:
            if not no_thread(error):
                raise
            once()  # it is queued as well: a thread that comes to it later finds it done
        return once.result


class _Once(Generic[T]):
    """Work that is done by the first who calls it."""

    def __init__(self, work: Callable[[], T]) -> None:
        self.result: Future[T] = Future()
        self._work = work
        self._undone = threading.Lock()

    def __call__(self) -> None:
        if not self._undone.acquire(blocking=False) or not self.result.set_running_or_notify_cancel():
            return
        try:
            result = self._work()
        except BaseException as error:
            self.result.set_exception(error)
        else:
            self.result.set_result(result)
