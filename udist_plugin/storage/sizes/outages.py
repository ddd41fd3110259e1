"""Doing without a service that is away, slow or back again (a circuit breaker)."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final, TypeVar

from udist_plugin.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Callable

Answer = TypeVar("Answer")

FIRST_WAIT: Final = 1.0
"""Seconds after a failure in which nobody asks; doubled by each failure that follows."""
LONGEST_WAIT: Final = 32.0
"""Seconds. Who fails again within this time of an answer was not back: the wait goes on from where it was."""


class Outages:
    """Asks a service only while it answers.

    After a failure nobody asks for a while, then one caller alone tries whether it is back: so an outage
    costs one bounded wait every now and then, not one a request. Each outage is one warning; ``failed`` is
    called for every question that was not answered.
    """

    def __init__(
        self,
        record: Callable[[str, str], object],
        service: str,
        without: str,
        failed: Callable[[], object] = lambda: None,
    ) -> None:
        self._record = record
        self._service = service
        self._without = without
        self._tell = failed
        self._lock = threading.Lock()
        self._answers = False  # until the first answer, one caller alone asks
        self._era = 0  # counts outages and recoveries: what was asked in an earlier one says nothing new
        self._wait = 0.0
        self._ask_at = self._changed = float("-inf")
        self._warned = False

    def ask(self, question: Callable[[], Answer]) -> Answer | None:
        """The answer to ``question``; ``None`` if it raises ``StorageError``, or nobody asks now."""
        era = self._era
        if not self._answers and not self._is_my_turn():
            return None
        try:
            answer = question()
        except StorageError as error:
            self._tell()
            self._failed(era, error)
            return None
        if not self._answers:
            self._answered(era)
        return answer

    def _is_my_turn(self) -> bool:
        with self._lock:
            now = time.monotonic()
            if self._answers:
                return True
            if now < self._ask_at:
                return False
            self._ask_at = now + max(self._wait, FIRST_WAIT)
            return True

    def _failed(self, era: int, error: StorageError) -> None:
        with self._lock:
            if era != self._era:
                return
            now = time.monotonic()
            recovered = self._answers and now > self._changed + LONGEST_WAIT
            self._wait = FIRST_WAIT if recovered else min(max(self._wait * 2, FIRST_WAIT), LONGEST_WAIT)
            self._ask_at = now + self._wait
            if self._answers:
                self._enter(now, answers=False)
            warn, self._warned = not self._warned, True
        if warn:
            self._record("warn", f"{self._service} is away; {self._without} until it is back: {error}")

    def _answered(self, era: int) -> None:
        with self._lock:
            if era != self._era:
                return
            self._enter(time.monotonic(), answers=True)
            tell, self._warned = self._warned, False
        if tell:
            self._record("info", f"{self._service} is back")

    def _enter(self, now: float, *, answers: bool) -> None:
        self._answers = answers
        self._era += 1
        self._changed = now
