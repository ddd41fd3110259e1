"""Processes that are not children of this one."""

from __future__ import annotations

import os
import select
import time
from contextlib import suppress

from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import signal
    from collections.abc import Iterable
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


def processes_with(variable: str, value: str) -> list[int]:
    """The processes of this user that were started with ``variable`` in their environment (Linux)."""
    wanted = os.fsencode(f"{variable}={value}")
    found = []
    for name in os.listdir("/proc") if os.path.isdir("/proc") else ():
        if name.isdigit():
            with suppress(OSError), open(f"/proc/{name}/environ", "rb") as environ:
                if wanted in environ.read().split(b"\0"):
                    found.append(int(name))
    return found


def _parent(pid: int) -> int:
    with open(f"/proc/{pid}/stat") as stat:
        return int(stat.read().rpartition(")")[2].split()[1])


def _program(pid: int) -> tuple[str, bytes]:
    """What runs, and its arguments."""
    with open(f"/proc/{pid}/cmdline", "rb") as arguments:
        return os.readlink(f"/proc/{pid}/exe"), arguments.read()


def end(pids: Iterable[int], grace: float) -> None:
    """Asks processes to end, and kills those that have not after ``grace`` seconds."""
    found = []
    for pid in pids:
        with suppress(ProcessLookupError):
            found.append(Process(pid))
    for process in found:
        process.send(signal.SIGTERM)
    until = time.monotonic() + grace
    for process in found:
        if not process.wait(max(0.0, until - time.monotonic())):
            process.send(signal.SIGKILL)
    for process in found:
        process.wait(grace)


class Process:
    """The process of an id, and no later one of the same."""

    def __init__(self, pid: int) -> None:
        """Raises ``ProcessLookupError`` if there is none."""
        self._pid = pid
        self._fd = os.pidfd_open(pid) if hasattr(os, "pidfd_open") else -1

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
        with suppress(ProcessLookupError):
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
