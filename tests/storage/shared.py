"""One real server of a kind for a whole test run, whichever of its workers asks first."""

from __future__ import annotations

import fcntl
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.drivers.s3.server import S3Server
from tests.tools import require_tool
from tests.workers import folder, locked

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def shared(program: str) -> Iterator[str]:
    """The address of the run's server, one of ``keeper.KINDS``."""
    require_tool(program)
    kept = _folder(program)
    kept.mkdir(exist_ok=True)
    address = kept / "address"
    with locked(kept / "users", fcntl.LOCK_SH):
        with locked(kept / "starting"):
            if not address.exists():
                _start(program, kept)
        yield address.read_text()


@contextmanager
def shared_s3(program: str) -> Iterator[S3Server]:
    """The run's server of S3, whose buckets are folders."""
    with shared(program) as url:
        yield S3Server(url, _folder(program) / "data")


def await_ends() -> None:
    """Waits for all servers to end, when nobody uses them any longer."""
    for lock in folder().glob("*/server"):
        with locked(lock):
            pass


def _folder(program: str) -> Path:
    return folder() / program


def _start(program: str, kept: Path) -> None:
    said = kept / "said"
    with said.open("w") as output:
        started = subprocess.run(
            [sys.executable, "-m", "tests.storage.keeper", program, str(kept)],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            timeout=120,
            check=False,
        )
    assert started.returncode == 0, said.read_text()
