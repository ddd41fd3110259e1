"""What the system has no more of for this process: descriptors, threads, memory."""

from __future__ import annotations

import errno
from contextlib import suppress

from udist_plugin.typed import Final

DESCRIPTORS: Final = 1 << 16
"""More than streams and stores have open at once, and few enough for a child that closes each one."""

SCARCE: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS})


def exhausted(error: BaseException) -> bool:
    """Whether ``error`` says that the system has no more of something: later there may be some."""
    if isinstance(error, OSError):
        return error.errno in SCARCE
    return isinstance(error, MemoryError) or no_thread(error)


def raise_descriptor_limit() -> None:
    """Raises the soft limit of descriptors, which is often 1,024, to ``DESCRIPTORS``, or as far as the hard
    limit allows."""
    with suppress(ImportError, OSError, ValueError):  # there is no such limit, or it may not be raised
        from resource import RLIM_INFINITY, RLIMIT_NOFILE, getrlimit, setrlimit

        soft, hard = getrlimit(RLIMIT_NOFILE)
        wanted = DESCRIPTORS if hard == RLIM_INFINITY else min(DESCRIPTORS, hard)
        if soft != RLIM_INFINITY and soft < wanted:
            setrlimit(RLIMIT_NOFILE, (wanted, hard))


def no_thread(error: BaseException) -> bool:
    """Whether ``error`` says that no thread could be started: Python has no class for that."""
    return isinstance(error, RuntimeError) and "can't start new thread" in str(error)
