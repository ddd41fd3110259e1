"""A look at all that is to be pushed, before anything is read."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

from udist_plugin.errors import SourceInvalid
from udist_plugin.images.selection import entries

if TYPE_CHECKING:
    from collections.abc import Iterable

    from udist_plugin.images.selection import Selection


def check_sources(sources: Iterable[tuple[str, Selection]]) -> None:
    """Raises ``SourceInvalid`` with everything that cannot be pushed of files and folders, each given by its
    path and what of it is selected."""
    refused: list[SourceInvalid] = []
    for path, selection in sources:
        if problem := _problem(path):
            refused.append(SourceInvalid(problem, path=path))
        elif os.path.isdir(path):
            for _ in entries(path, selection, refused.append):
                pass
    if refused:
        raise SourceInvalid.of(refused)


def _problem(path: str) -> str | None:
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        return error.strerror or str(error)
    if stat.S_ISDIR(mode):
        return None
    if not stat.S_ISREG(mode):
        return "neither a file nor a folder"
    return None if os.access(path, os.R_OK) else os.strerror(errno.EACCES)
