"""Servers of object stores, as processes on free ports of the loopback interface."""

from __future__ import annotations

import random
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from tests.tools import require_tool

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

START_WAIT = 60.0
"""Seconds a server may take to listen, on a busy machine."""


PORTS = range(20_000, 32_000)
"""Below those that a system hands out, or a connection could take a port before its server does."""


def free_port() -> int:
    """One that nobody has right now; a server that cannot choose its own is told to take it."""
    for port in random.SystemRandom().sample(PORTS, 100):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError(f"none of a hundred ports of {PORTS} is free")


@contextmanager
def serving(
    program: str, arguments: Sequence[str], port: int, environ: Mapping[str, str] | None = None
) -> Iterator[None]:
    """Runs a program that listens on ``port`` for as long as the context."""
    command = [require_tool(program), *arguments]
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            command, env=environ, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            if not _listens(process, port):
                output.seek(0)
                said = output.read().decode(errors="replace")
                raise AssertionError(f"{program} does not listen on {port}:\n{said}")
            yield
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(20)


def _listens(process: subprocess.Popen[bytes], port: int) -> bool:
    """Waits until the port is taken; there is no other sign."""
    deadline = time.monotonic() + START_WAIT
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 1).close()
            return True
        time.sleep(0.02)
    return False
