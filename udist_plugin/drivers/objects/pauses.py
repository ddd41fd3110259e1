"""When a request that failed in passing is sent again.

The services' libraries change how often and how soon they repeat a request from one version to the next. Here
it is a matter of time: a store that is restarted is away for some seconds, however fast its refusals come.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE: Final = 60.0
"""Seconds from the beginning of a request to its last repetition."""
PROBE_PATIENCE: Final = 5.0
"""The same of the look at a store when a plugin starts."""
FIRST: Final = 0.1
LONGEST: Final = 8.0
"""Seconds of the first pause, and of any: each is twice the one before."""


class Pauses:
    """The pauses of one request, which begins now."""

    def __init__(self, patience: float, first: float = 0) -> None:
        """Both are in seconds; without ``first`` it is ``FIRST``."""
        self.deadline = time.monotonic() + patience
        self._longest = first or FIRST
        self._repeated = False

    def next(self) -> float | None:
        """Seconds until the request is sent again, or ``None`` when it is not.

        A first repetition there always is: the answer may have been waited for all the time.
        """
        left = max(0.0, self.deadline - time.monotonic())
        if not left and self._repeated:
            return None
        import random

        pause = random.uniform(0.5, 1.0) * self._longest  # noqa: S311  # many must not come back at once
        self._longest = min(2 * self._longest, max(LONGEST, self._longest))
        self._repeated = True
        return min(pause, left)


def until(done: Callable[[], bool], patience: float) -> bool:
    """Calls ``done`` until it returns true; false when ``patience`` seconds are over before that."""
    pauses = Pauses(patience)
    while not done():
        if (pause := pauses.next()) is None:
            return False
        time.sleep(pause)
    return True
