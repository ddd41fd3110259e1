"""The limit: a file spliced into a pipe by another process, and read into a buffer."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from udist_plugin.link.fds import grow_pipe

if TYPE_CHECKING:
    from pathlib import Path

WRITER = """
import os, sys
file = os.open(sys.argv[1], os.O_RDONLY)
os.read(0, 1)
while os.splice(file, 1, 1 << 20):
    pass
"""


class RawPipe:
    """The writing process, started and waiting: its start is not part of what is measured."""

    def __init__(self, path: Path) -> None:
        command = [sys.executable, "-S", "-c", WRITER, str(path)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        assert self._process.stdout
        grow_pipe(self._process.stdout.fileno())

    def read(self, buffer: bytearray) -> int:
        """Reads everything, over and over into ``buffer``, and returns how much it was."""
        assert self._process.stdin and self._process.stdout
        total = 0
        with self._process.stdin as start, self._process.stdout as pipe:
            start.write(b"\n")
            while count := os.readv(pipe.fileno(), [buffer]):
                total += count
        self._process.wait()
        return total
