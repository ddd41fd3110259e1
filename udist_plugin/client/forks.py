"""fork(2): a child gets copies of its parent's descriptors and locks, and none of its other threads.

It closes the descriptors at once, or the plugin would not see its parent's end; and what would use them is
told so. The locks are held while the parent forks: so in the child nobody who is not there holds one, and
what they guard is whole.
"""

from __future__ import annotations

import os
import threading
from weakref import WeakSet

from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence
    from threading import Lock
    from typing import Protocol

    class Inherited(Protocol):
        """What a child inherits. None of its locks is held for long."""

        @property
        def locks(self) -> Sequence[Lock]: ...

        def disown(self) -> None: ...


PATIENCE: Final = 1.0
"""Seconds to wait for a lock before forking without it."""

_inherited: WeakSet[Inherited] = WeakSet()
_held: list[Lock] = []
_forking = threading.Lock()


def watch(each: Inherited) -> None:
    """From now on a forked child disowns ``each``."""
    _inherited.add(each)


def _hold() -> None:
    locks = [_forking, *(lock for each in list(_inherited) for lock in each.locks)]
    _held.extend(lock for lock in locks if lock.acquire(timeout=PATIENCE))


def _let_go() -> None:
    while _held:
        _held.pop().release()


def _disown() -> None:
    _let_go()
    for each in list(_inherited):
        each.disown()
    _inherited.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_hold, after_in_parent=_let_go, after_in_child=_disown)
