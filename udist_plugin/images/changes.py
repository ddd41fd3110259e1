"""Files that change while they are read."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from udist_plugin.errors import SourceInvalid

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO


@contextmanager
def unchanged(file: IO[bytes], path: str) -> Iterator[os.stat_result]:
    """Raises ``SourceInvalid``, naming ``path``, if ``file`` changes meanwhile, whatever else that leads to.

    Gives the file's status.
    """
    before = os.fstat(file.fileno())
    try:
        yield before
    except Exception as error:
        _compare(before, file, path, error)
        raise
    _compare(before, file, path, None)


def _compare(before: os.stat_result, file: IO[bytes], path: str, cause: Exception | None) -> None:
    after = os.fstat(file.fileno())
    if (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
        raise SourceInvalid("changed while it was read; push it again", path=path) from cause
