"""Health as distribution has it: checks run now and then, and while one fails nothing is served."""

from __future__ import annotations

import threading

from udist_plugin.errors import Unavailable
from udist_plugin.http_api.errors import error_response
from udist_plugin.http_api.response import Response
from udist_plugin.typed import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

STATUS_PATH = "/debug/health"
"""What distribution's debug listener serves; here there is one way in for all."""

CLOSING = 0.1
"""Seconds that closing waits for checks that run."""


class Check(NamedTuple):
    """What is looked at: ``look`` raises when it is not well. ``interval`` is in seconds.

    It fails once it did not go well ``threshold`` times in a row; below one is as one.
    """

    name: str
    look: Callable[[], object]
    interval: float
    threshold: int = 1


class Health:
    """``application``, answering 503 while any of ``checks`` fails; ``/debug/health`` tells which, and why.

    A thread for each check, so that one that takes long holds up no other; each look is to have an end of
    its own. Every check has a name of its own.
    """

    def __init__(self, application: Application, checks: Sequence[Check]) -> None:
        self._application = application
        self._checks = checks
        self._failing: dict[str, str] = {}
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ.get("PATH_INFO") == STATUS_PATH and environ["REQUEST_METHOD"] in ("GET", "HEAD"):
            failing = dict(self._failing)
            response = Response.json(503 if failing else 200, failing)
        elif self._failing:
            response = error_response(Unavailable(f"health check failed: please see {STATUS_PATH}"))
        else:
            return self._application(environ, start_response)
        return response.send(environ, start_response)

    def start(self, record: Callable[[str, str], object]) -> None:
        """Begins to check, the first time after each check's interval, and logs what changes."""
        for check in self._checks:
            thread = threading.Thread(
                target=self._poll, args=(check, record), name="udist-health", daemon=True
            )
            thread.start()
            self._threads.append(thread)

    def close(self) -> None:
        """No further look begins; one that has is left behind."""
        self._stop.set()
        for thread in self._threads:
            thread.join(CLOSING / len(self._threads))

    def _poll(self, check: Check, record: Callable[[str, str], object]) -> None:
        failures = 0
        while not self._stop.wait(min(check.interval, threading.TIMEOUT_MAX)):
            try:
                check.look()
            except Exception as error:  # whatever it raised, it did not go well
                failures += 1
                if failures < check.threshold:
                    continue
                if check.name not in self._failing:
                    record("error", f"health check failed: {check.name}: {error}")
                self._failing[check.name] = str(error)
            else:
                failures = 0
                if self._failing.pop(check.name, None) is not None:
                    record("info", f"health check passed again: {check.name}")
