"""Notices that a child process has ended, whoever else holds its pipes open."""

from __future__ import annotations

import os
import sys
import threading

from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess


class Ended:
    """``fd`` is readable once ``process`` has ended. It is -1 on Windows: nothing can be waited for beside a
    pipe there.

    Linux has such descriptors (pidfd_open(2)). Elsewhere, and in a sandbox that forbids the call, it is a
    pipe whose other end a thread closes.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._running = -1
        self.fd = _pidfd(process.pid)
        if self.fd < 0 and sys.platform != "win32":
            self.fd, self._running = os.pipe()
            threading.Thread(target=self._wait, args=(process,), name="udist-ended", daemon=True).start()

    def close(self) -> None:
        """Closes the descriptor; twice is once."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def disown(self) -> None:
        """In a child that was forked: closes what it has inherited, the thread's end too."""
        self.close()
        if self._running >= 0:
            os.close(self._running)

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        process.wait()
        running, self._running = self._running, -1
        os.close(running)


def _pidfd(pid: int) -> int:
    if not hasattr(os, "pidfd_open"):
        return -1
    import errno

    try:
        return os.pidfd_open(pid)
    except OSError as error:
        if error.errno in (errno.ENOSYS, errno.EPERM):
            return -1
        raise
