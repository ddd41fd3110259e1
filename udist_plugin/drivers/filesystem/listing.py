"""The names in a large folder, kept from one page of a list to the next while the folder has not changed.

Whatever adds, removes or renames an entry changes the folder's ``ctime``, which no program can set. This is
relied on only where the kernel keeps it: network file systems use another machine's clock, and some in user
space never change it.
"""

from __future__ import annotations

import os
import time
from functools import lru_cache

from udist_plugin.errors import InvalidPath
from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LOCAL: Final = frozenset({"btrfs", "ext2", "ext3", "ext4", "f2fs", "jfs", "overlay", "tmpfs", "xfs", "zfs"})
"""File systems whose times are this kernel's."""

MOUNTS: Final = "/proc/self/mountinfo"

TICK: Final = 2.5
"""Seconds within which two changes may bear the same time. A kernel's clock has ticks of 10 ms at most."""

FEWEST: Final = 1_000
MOST: Final = 200_000
"""Names that are worth keeping."""

KEPT: Final = 60.0
"""Seconds that they are kept at most."""


class Listings:
    """Keeps the names of the folder that was listed last."""

    def __init__(self) -> None:
        self._kept: tuple[tuple[int, ...], float, Sequence[str]] = ((), 0.0, ())

    def names(self, folder: int) -> Sequence[str]:
        """The names in an open folder, in the order of characters."""
        now, state = time.time(), _state(folder)
        of, until, names = self._kept
        if of == state and time.monotonic() < until:
            return names
        names = sorted(os.listdir(folder))
        if FEWEST <= len(names) <= MOST and _is_settled(state, now) and _state(folder) == state:
            self._kept = (state, time.monotonic() + KEPT, names)
        return names


def folder_states(full_path: Callable[[str], str]) -> Callable[[str], str]:
    """See ``StorageDriver.folder_states``."""
    type_of = lru_cache(_type)

    def state_of(path: str) -> str:
        now = time.time()
        try:
            state = _state(full_path(path))
        except FileNotFoundError:
            return "absent"
        except (OSError, InvalidPath):
            return ""
        return " ".join(map(str, state)) if _is_settled(state, now, type_of) else ""

    return state_of


def _state(folder: int | str) -> tuple[int, ...]:
    status = os.stat(folder)
    return status.st_dev, status.st_ino, status.st_ctime_ns


def _is_settled(state: tuple[int, ...], now: float, type_of: Callable[[int], str] | None = None) -> bool:
    """Whether any change after ``now`` gives the folder another state."""
    device, _, changed = state
    return now - changed * 1e-9 > TICK and (type_of or _type)(device) in LOCAL


def _type(device: int) -> str:
    """The type of a mounted file system; empty where the system does not tell."""
    wanted = f"{os.major(device)}:{os.minor(device)}"
    try:
        with open(MOUNTS, encoding="utf-8", errors="replace") as mounts:
            for line in mounts:  # see proc_pid_mountinfo(5)
                before, _, after = line.partition(" - ")
                if before.split(" ", 3)[2] == wanted:
                    return after.split(" ", 1)[0]
    except (OSError, IndexError):
        pass
    return ""
