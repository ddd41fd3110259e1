"""A pipe by which one thread makes another look up that waits for a descriptor."""

from __future__ import annotations

import contextlib
import os
import sys


class WakePipe:
    """``fd`` is readable from ``ring`` to ``clear``. On Windows, where no pipe can be waited for, nobody is
    woken."""

    fd = _ringing = -1

    def __init__(self) -> None:
        self.fd, self._ringing = os.pipe()
        if sys.platform != "win32":
            os.set_blocking(self.fd, False)
            os.set_blocking(self._ringing, False)

    def ring(self) -> None:
        """Wakes whoever waits; safe in a finalizer, and once closed without effect."""
        if sys.platform != "win32" and self._ringing >= 0:
            with contextlib.suppress(BlockingIOError):  # full of the same message
                os.write(self._ringing, b"\0")

    def clear(self) -> None:
        """Takes note of all that have rung."""
        with contextlib.suppress(BlockingIOError):
            os.read(self.fd, 4096)

    def close(self) -> None:
        """Closes both ends; twice is once."""
        for descriptor in (self.fd, self._ringing):
            if descriptor >= 0:
                os.close(descriptor)
        self.fd = self._ringing = -1

    __del__ = close
