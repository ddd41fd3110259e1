"""Plays cases with a driver, which is started anew when one has left it unusable."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING, NamedTuple

from udist_plugin.testing.callers.driver import LEAVING, Driver
from udist_plugin.testing.callers.errors import Unexpected, Unsupported
from udist_plugin.testing.callers.pump import Pump
from udist_plugin.testing.callers.run import Run

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from udist_plugin.testing.callers.case import Case


class Outcome(NamedTuple):
    """``verdict`` is pass, fail or skip, ``text`` why, ``notes`` the end of the conversation if it failed."""

    case: Case
    verdict: str
    text: str = ""
    notes: Sequence[str] = ()


def play(command: Sequence[str], cases: Iterable[Case], timeout: float) -> Iterator[Outcome]:
    """Plays ``cases`` one after another with one driver."""
    pump = Pump(timeout)
    driver: Driver | None = None
    with tempfile.TemporaryDirectory(prefix="udist") as folder:
        try:
            for case in cases:
                driver = driver or Driver(command, pump)
                run = Run(driver, pump, folder)
                outcome = _outcome(case, run)
                usable = outcome.verdict == "pass" or run.abandon()
                run.dispose()
                if not usable:
                    driver.end(0)
                    driver = None
                yield outcome
        finally:
            if driver:
                driver.end(LEAVING)
            pump.close()


def _outcome(case: Case, run: Run) -> Outcome:
    try:
        case.play(run)
        run.finish()
    except Unexpected as error:
        return Outcome(case, "fail", str(error), tuple(run.notes))
    except Unsupported as error:
        return Outcome(case, "skip", str(error))
    return Outcome(case, "pass")
