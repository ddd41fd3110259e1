"""Locks on folders: any number of writers may put files into a folder at once, or one deletion looks at a
file in it and takes it away.

The kernel drops a lock when its holder dies. Where there are no such locks (some network file systems,
Windows) everybody goes on without; ``deletion`` says what protects a file then.
"""

from __future__ import annotations

import errno
import os
import sys
from contextlib import contextmanager

from udist_plugin.drivers.filesystem import calls
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def holding(folder: str, *, alone: bool = False) -> Iterator[None]:
    """Holds a folder, ``alone`` or together with others who do not ask for that.

    Raises ``FileNotFoundError``, and ``TimeoutError`` when another process does not let go of it.
    """
    if sys.platform == "win32":
        yield  # which opens no folder
        return
    for _ in range(calls.ATTEMPTS):
        descriptor = os.open(folder, calls.FOLDER)
        try:
            if not _lock(descriptor, shared=not alone):
                break
            if is_at(folder, os.fstat(descriptor)):
                yield
                return
        finally:
            os.close(descriptor)
    raise TimeoutError(errno.ETIMEDOUT, "another process holds its folder; try again", folder)


def is_at(path: str, status: os.stat_result) -> bool:
    """Whether the file or folder at that path is the one of this status."""
    try:
        return os.path.samestat(status, os.stat(path))
    except FileNotFoundError:
        return False


def _lock(descriptor: int, *, shared: bool) -> bool:
    try:
        return calls.lock(descriptor, shared=shared)
    except OSError:  # not on every file system
        return True
