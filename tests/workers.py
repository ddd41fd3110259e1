"""What the workers of one test run have in common: a folder, locks, and work done once."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FOLDER: Final = "UDIST_TESTS_RUN"
"""The variable that tells workers their run's folder."""


def begin() -> None:
    """Called once a run, before there are workers."""
    os.environ[FOLDER] = tempfile.mkdtemp(prefix="udist-tests-")


def end() -> None:
    """Called when the workers have ended, and all that used the folder."""
    shutil.rmtree(os.environ.pop(FOLDER))


def folder() -> Path:
    return Path(os.environ[FOLDER])


@contextmanager
def locked(path: Path, how: int = fcntl.LOCK_EX) -> Iterator[None]:
    """Holds a lock of flock(2) on a file, which is made if it is not there."""
    with path.open("a") as file:
        fcntl.flock(file, how)
        yield


def once(name: str, act: Callable[[], object]) -> None:
    """Does something in whichever worker comes first; the others wait until it is done."""
    done = folder() / f"{name}.done"
    with locked(folder() / f"{name}.lock"):
        if not done.exists():
            act()
            done.touch()
