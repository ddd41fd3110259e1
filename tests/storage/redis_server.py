"""A Redis server of a test's own, on loopback or a Unix-domain socket."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.drivers.processes import free_port
from tests.tools import require_tool

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest

READY = 20.0
"""Seconds a server has to answer."""
ATTEMPTS = 3


class PortTaken(Exception):
    """The server ended at once, as it does when another has taken the port that was free a moment ago."""


class RedisServer:
    """A server that can be killed, paused and started again where it was, without what it held.

    ``arguments`` are redis-server's, as on its command line.
    """

    def __init__(self, folder: Path, *arguments: str, tls: bool = False) -> None:
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.socket = folder / "redis.sock"
        port, tls_port = (0, self.port) if tls else (self.port, 0)
        self._command = [require_tool("redis-server"), *arguments]
        self._command += ["--bind", "127.0.0.1", "--port", str(port), "--unixsocket", str(self.socket)]
        self._command += ["--tls-port", str(tls_port)] if tls else []
        self._command += ["--dir", str(folder), "--save", ""]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when the server takes connections."""
        assert self._process is None
        self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + READY
        while not self._takes_connections():
            if self._process.poll() is not None:
                self._process = None
                raise PortTaken(self.port)
            assert time.monotonic() < deadline, "redis-server takes no connections"
            time.sleep(0.01)  # nothing tells when it listens

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def pause(self) -> None:
        """It still takes connections, as the kernel does that, and answers nothing."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGCONT)

    def command(self, *words: str | int) -> bytes:
        """The reply to one inline command, as it came."""
        with socket.create_connection(("127.0.0.1", self.port), 10) as connection:
            connection.sendall(" ".join(map(str, words)).encode() + b"\r\n")
            return connection.recv(65536)

    def _takes_connections(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 10).close()
        except ConnectionRefusedError:
            return False
        return True


def be_patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets whoever begins now wait for Redis however busy the machine is."""
    for name in ("DIAL_MAX", "ANSWER_MAX"):
        monkeypatch.setattr(f"udist_plugin.storage.sizes.redis.{name}", 30.0)


@contextmanager
def running(folder: Path, *arguments: str, tls: bool = False) -> Iterator[RedisServer]:
    server = RedisServer(folder, *arguments, tls=tls)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            server.start()
            break
        except PortTaken:
            if attempt == ATTEMPTS:
                raise
            server = RedisServer(folder, *arguments, tls=tls)
    try:
        yield server
    finally:
        server.kill()
