"""Processes that are not children of this one."""

from __future__ import annotations

import errno
import os
import select
import time
from contextlib import suppress

from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import signal
    from collections.abc import Sequence
else:
    import _signal as signal  # the module proper makes enumerations of the same

LOOK: Final = 0.2
"""Seconds between looks at a process where the system has no descriptor for it (Linux has)."""


def without_subshells(pid: int) -> int:
    """``pid``, or what it was forked from: a shell forks itself for what is in parentheses, and such a copy
    ends while the shell goes on (Linux)."""
    with suppress(OSError, ValueError):
        while (parent := _parent(pid)) > 1 and _program(parent) == _program(pid):
            pid = parent
    return pid


def processes_with(variable: str, value: str) -> list[Process]:
    """The processes of this user that were started with ``variable`` in their environment (Linux)."""
    wanted = os.fsencode(f"{variable}={value}")
    found = []
    for name in os.listdir("/proc") if os.path.isdir("/proc") else ():
        if name.isdigit():
            with suppress(OSError), open(f"/proc/{name}/environ", "rb") as environ:
                if wanted in environ.read().split(b"\0"):
                    found.append(Process(int(name)))
    return found


def _descriptor_of(pid: int) -> int:
    """-1 where the system has none: others than Linux, old kernels, containers that forbid the call."""
    if hasattr(os, "pidfd_open"):
        try:
            return os.pidfd_open(pid)
        except ProcessLookupError:
            raise
        except OSError:
            pass
    return -1


def _parent(pid: int) -> int:
    with open(f"/proc/{pid}/stat") as stat:
        return int(stat.read().rpartition(")")[2].split()[1])


def _program(pid: int) -> tuple[str, bytes]:
    """What runs, and its arguments."""
    with open(f"/proc/{pid}/cmdline", "rb") as arguments:
        return os.readlink(f"/proc/{pid}/exe"), arguments.read()


def end(processes: Sequence[Process], grace: float) -> None:
    """Asks processes to end, and kills those that have not after ``grace`` seconds."""
    for process in processes:
        process.send(signal.SIGTERM)
    until = time.monotonic() + grace
    for process in processes:
        if not process.wait(max(0.0, until - time.monotonic())):
            process.send(signal.SIGKILL)
    until = time.monotonic() + grace
    for process in processes:
        process.wait(max(0.0, until - time.monotonic()))


class Process:
    """The process of an id, and no later one of the same."""

    def __init__(self, pid: int) -> None:
        """Raises ``ProcessLookupError`` if there is none."""
        self._pid = pid
        self._fd = _descriptor_of(pid)
        if self._fd < 0 and not self._is_there():
            raise ProcessLookupError(errno.ESRCH, os.strerror(errno.ESRCH))

    def wait(self, seconds: float | None = None) -> bool:
        """Whether it has ended, after at most ``seconds``; without a bound this returns when it has."""
        if self._fd >= 0:
            poll = select.poll()
            poll.register(self._fd, select.POLLIN)
            return bool(poll.poll(None if seconds is None else seconds * 1000))
        end = None if seconds is None else time.monotonic() + seconds
        while self._is_there():
            if end is not None and time.monotonic() > end:
                return False
            time.sleep(LOOK)
        return True

    def send(self, number: int) -> None:
        """Without effect once it has ended, or has become another user's, as what sudo runs does."""
        with suppress(ProcessLookupError, PermissionError):
            if self._fd >= 0:
                signal.pidfd_send_signal(self._fd, number)
            else:
                os.kill(self._pid, number)

    def _is_there(self) -> bool:
        try:
            os.kill(self._pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            pass
        return True
