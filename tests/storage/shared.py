"""One real server of a kind for a whole test run, whichever of its workers asks first."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.storage.keeper import locked
from tests.storage.servers import S3Server
from tests.tools import require_tool

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER: Final = "UDIST_TESTS_SERVERS"
"""The variable that tells workers where the servers of their run are."""


def begin() -> None:
    """Called once a run, before there are workers."""
    os.environ[FOLDER] = tempfile.mkdtemp(prefix="udist-tests-")


def end() -> None:
    """Called when the workers have ended: waits for the servers to do so, and removes what they kept."""
    root = Path(os.environ.pop(FOLDER))
    for folder in root.iterdir():
        with locked(folder / "server", fcntl.LOCK_EX):
            pass
    shutil.rmtree(root)


@contextmanager
def shared(program: str) -> Iterator[str]:
    """The address of the run's server, one of ``keeper.KINDS``."""
    require_tool(program)
    folder = _folder(program)
    folder.mkdir(exist_ok=True)
    address = folder / "address"
    with locked(folder / "users", fcntl.LOCK_SH):
        with locked(folder / "starting", fcntl.LOCK_EX):
            if not address.exists():
                _start(program, folder)
        yield address.read_text()


@contextmanager
def shared_s3(program: str) -> Iterator[S3Server]:
    """The run's server of S3, whose buckets are folders."""
    with shared(program) as url:
        yield S3Server(url, _folder(program) / "data")


def _folder(program: str) -> Path:
    return Path(os.environ[FOLDER]) / program


def _start(program: str, folder: Path) -> None:
    command = [sys.executable, "-m", "tests.storage.keeper", program, str(folder)]
    said = folder / "said"
    with said.open("w") as output:
        started = subprocess.run(
            command,
            cwd=Path(__file__).parents[2],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            timeout=120,
            check=False,
        )
    assert started.returncode == 0, said.read_text()
