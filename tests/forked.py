"""What a forked child does, as a test's own doing."""

from __future__ import annotations

import os
import signal
import traceback
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST = 60
"""Seconds after which the child ends in any case."""


def forked(act: Callable[[], object]) -> None:
    """Has a forked child do something, and fails if that does."""
    assert status_of_fork(act) == 0


def status_of_fork(act: Callable[[], object]) -> int:
    """Has a forked child do something; 0, or what it ended with: 1 for an error, -9 for ``SIGKILL``."""
    child = os.fork()
    if not child:
        signal.alarm(LONGEST)
        status = 1
        try:
            act()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
