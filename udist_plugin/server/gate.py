"""One small request at a time runs in the interpreter.

Each of its calls of the operating system gives up the interpreter's lock and takes it back. A thread that
waits for that lock gets it at the first such call, the other wants it back a microsecond later, and so on: at
each of some fifty calls two threads wake one another, which takes longer than the request itself. Behind a
gate the others sleep until the whole request is done.

So nobody may wait for anything slow inside: not for a caller, whose content or credit may come at any time,
nor for a disk. Whoever does leaves meanwhile, and bulk data moves outside. What was not foreseen, such as a
network file system that hangs, holds up no request for longer than ``HELD`` for each that waits: it goes on
beside the gate.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager

from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

HELD: Final = 0.003
"""Seconds after which whoever is inside is taken to wait for something: a request takes one or less."""
PATIENCE: Final = 1.0
"""Seconds that a request waits for its turn at most, however many come before it."""


class Gate:
    """Lets one thread in at a time. Nobody has to be inside: who is not, leaves and comes back unnoticed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[None] = []  # one for each; appending is atomic, where adding would not be
        self._inside = 0  # the thread
        self._since = 0.0

    def enter(self) -> None:
        """Returns once this thread is inside, or others have taken too long."""
        if self._lock.acquire(blocking=False) or self._wait():
            self._inside = threading.get_ident()
            self._since = time.monotonic()

    def _wait(self) -> bool:
        """Waits for as long as those before may take."""
        end = time.monotonic() + PATIENCE
        self._waiting.append(None)
        try:
            while (left := end - time.monotonic()) > 0:
                if self._lock.acquire(timeout=min(HELD * (1 + len(self._waiting)), left)):
                    return True
                if time.monotonic() - self._since > HELD:
                    break
            return False
        finally:
            self._waiting.pop()

    def leave(self) -> None:
        """This thread is not inside any more."""
        if self._inside == threading.get_ident():
            self._inside = 0
            self._lock.release()

    @contextmanager
    def outside(self) -> Iterator[None]:
        """Lets others in meanwhile, if this thread is inside."""
        if self._inside != threading.get_ident():
            yield
            return
        self.leave()
        try:
            yield
        finally:
            self.enter()
