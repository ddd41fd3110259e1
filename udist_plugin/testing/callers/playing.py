"""Plays cases with drivers, each started anew when a case has left it unusable."""

from __future__ import annotations

import tempfile
import threading
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, NamedTuple

from udist_plugin.testing.callers.driver import LEAVING, Driver
from udist_plugin.testing.callers.errors import Unexpected, Unsupported
from udist_plugin.testing.callers.pump import Pump
from udist_plugin.testing.callers.run import Run

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from udist_plugin.testing.callers.case import Case


class Outcome(NamedTuple):
    """``verdict`` is pass, fail or skip, ``text`` why, ``notes`` the end of the conversation if it failed."""

    case: Case
    verdict: str
    text: str = ""
    notes: Sequence[str] = ()


def play(command: Sequence[str], cases: Sequence[Case], timeout: float, jobs: int = 1) -> Iterator[Outcome]:
    """Plays ``cases``, with ``jobs`` drivers at a time, and tells of each as it ends.

    ``timeout`` bounds each wait, in seconds. Raises ``NotStarted``.
    """
    waiting: SimpleQueue[Case] = SimpleQueue()
    for case in cases:
        waiting.put(case)
    ended: SimpleQueue[Outcome | BaseException] = SimpleQueue()
    with tempfile.TemporaryDirectory(prefix="udist") as folder:
        arguments = (command, waiting, ended, timeout, folder)
        workers = [threading.Thread(target=_work, args=arguments, daemon=True) for _ in range(jobs)]
        for worker in workers:
            worker.start()
        try:
            for _ in cases:
                outcome = ended.get()
                if isinstance(outcome, BaseException):
                    raise outcome
                yield outcome
        finally:
            while _next(waiting):
                pass
        for worker in workers:
            worker.join()


def _work(
    command: Sequence[str],
    waiting: SimpleQueue[Case],
    ended: SimpleQueue[Outcome | BaseException],
    timeout: float,
    folder: str,
) -> None:
    """Plays what waits, one after another."""
    pump = Pump(timeout)
    driver: Driver | None = None
    try:
        while case := _next(waiting):
            driver = driver or Driver(command, pump)
            run = Run(driver, pump, folder)
            outcome = _outcome(case, run)
            usable = outcome.verdict == "pass" or run.abandon()
            run.dispose()
            if not usable:
                driver.end(0)
                driver = None
            ended.put(outcome)
    except BaseException as error:
        ended.put(error)
    finally:
        if driver:
            driver.end(LEAVING)
        pump.close()


def _next(waiting: SimpleQueue[Case]) -> Case | None:
    try:
        return waiting.get_nowait()
    except Empty:
        return None


def _outcome(case: Case, run: Run) -> Outcome:
    try:
        case.play(run)
        run.finish()
    except Unexpected as error:
        return Outcome(case, "fail", str(error), tuple(run.notes))
    except Unsupported as error:
        return Outcome(case, "skip", str(error))
    return Outcome(case, "pass")
