"""Processes that are not children of this one."""

from __future__ import annotations

import os
import select
import time
from contextlib import suppress

from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import signal
else:
    import _signal as signal  # the module proper makes enumerations of the same

LOOK: Final = 0.2
"""Seconds between looks at a process where the system has no descriptor for it (Linux has)."""


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

    def end(self, grace: float) -> None:
        """Asks it to end, and kills it if it has not after ``grace`` seconds."""
        self._send(signal.SIGTERM)
        if not self.wait(grace):
            self._send(signal.SIGKILL)
            self.wait(grace)

    def _send(self, number: int) -> None:
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
