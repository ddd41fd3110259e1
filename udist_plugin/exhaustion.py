"""What the system has no more of for this process: descriptors, threads, memory."""

from __future__ import annotations

import errno
from typing import Final

SCARCE: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS})


def exhausted(error: BaseException) -> bool:
    """Whether ``error`` says that the system has no more of something: later there may be some."""
    if isinstance(error, OSError):
        return error.errno in SCARCE
    return isinstance(error, MemoryError) or no_thread(error)


def no_thread(error: BaseException) -> bool:
    """Whether ``error`` says that no thread could be started: Python has no class for that."""
    return isinstance(error, RuntimeError) and "can't start new thread" in str(error)
