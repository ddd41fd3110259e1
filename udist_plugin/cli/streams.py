"""Standard streams that a parent has closed, as cron jobs and daemons do."""

from __future__ import annotations

import os
import sys


def is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def open_closed_streams() -> None:
    """Puts the null device where a standard stream is closed, as git does.

    Otherwise the next file to be opened gets its number, and what is printed ends up in that file.
    ``sys.stdin`` stays ``None``, so that nobody takes a closed input for an empty one.
    """
    for fd in (0, 1, 2):
        if not is_open(fd):
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free
    if sys.stdout is None:
        sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115 - for the whole run
    if sys.stderr is None:
        sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115
