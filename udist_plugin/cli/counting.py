"""How far a command is that goes through a store."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager, suppress

from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_CLEAR: Final = "\r\x1b[K"
_INTERVAL: Final = 0.1
"""Seconds between two counts that are shown."""


class Counter:
    """Shows on a terminal what a command counts and how far it is: the first count of each phase at once, and
    then one every tenth of a second."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._shows = sys.stderr.isatty()
        self._what = ""
        self._due = 0.0
        self._is_drawn = False

    def __call__(self, what: str, count: int) -> None:
        if self._shows and (what != self._what or self._clock() >= self._due):
            self._write(f"{_CLEAR}{count} {what}")
            self._what, self._due, self._is_drawn = what, self._clock() + _INTERVAL, True

    def clear(self) -> None:
        """Takes the count away, so that a line can be printed in its place."""
        if self._is_drawn:
            self._write(_CLEAR)
            self._is_drawn = False

    def _write(self, text: str) -> None:
        with suppress(OSError):  # a terminal that is gone is no reason to fail
            print(text, end="", file=sys.stderr, flush=True)


@contextmanager
def counting_phases() -> Iterator[Counter]:
    """A counter that is cleared at the end."""
    counter = Counter()
    try:
        yield counter
    finally:
        counter.clear()


@contextmanager
def counting(what: str) -> Iterator[Callable[[int], object]]:
    """The same, for a command that counts one thing: blobs that were found, for instance."""
    with counting_phases() as counter:
        yield lambda count: counter(what, count)
