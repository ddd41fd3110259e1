"""OpenStack Swift's own servers with one replica, on the loopback interface."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.tools import require_tool

if TYPE_CHECKING:
    from collections.abc import Iterator

USER: Final = "test:tester"
OTHER: Final = "test:other"
"""A user of the same account who may do nothing."""
PASSWORD: Final = "testing"

PROGRAM: Final = "swift-python"
"""The Python that has Swift."""


class Swift:
    """One that is running; ``folder`` holds all that it keeps."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        assert process.stdout is not None
        self._process = process
        self.folder = folder
        self.url = f"http://127.0.0.1:{int(process.stdout.readline())}"

    def command(self, name: str) -> None:
        """Has it do one of the commands in ``all_in_one.py``."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{name}\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "done\n"


@contextmanager
def all_in_one(folder: Path) -> Iterator[Swift]:
    """Runs it in an empty folder for as long as the context."""
    program = Path(__file__).with_name("all_in_one.py")
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(
            [require_tool(PROGRAM), str(program), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as process,
    ):
        try:
            yield Swift(process, folder)
        finally:
            process.kill()  # what it holds is thrown away
