"""A transport over a loopback socket, for the stock registry; and that registry, started on a free port."""

from __future__ import annotations

import http.client
import socket
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from tests.drivers.processes import free_port
from tests.tools import require_tool
from udist_plugin.errors import TransportError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from typing import Self

    from udist_plugin.remote.transport import Body, Field

CONFIG = """\
version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage:
  filesystem: {{rootdirectory: {root}}}
  delete: {{enabled: true}}
http: {{addr: "127.0.0.1:{port}"}}
"""


class LoopbackTransport:
    """One connection a request."""

    def __init__(self, port: int) -> None:
        self.port = port

    def request(
        self,
        method: str,
        target: str,
        /,
        *,
        headers: Sequence[Field] = (),
        body: Body | None = None,
        timeout: float | None = None,
    ) -> LoopbackResponse:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout or 60)
        try:
            connection.putrequest(method, target)
            for name, value in headers:
                connection.putheader(name, value)
            chunked = body is not None and "content-length" not in dict(headers)
            if chunked:
                connection.putheader("transfer-encoding", "chunked")
            connection.endheaders(body, encode_chunked=chunked)
            return LoopbackResponse(connection)
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise TransportError(str(error)) from error

    def close(self) -> None:
        pass


class LoopbackResponse:
    def __init__(self, connection: http.client.HTTPConnection) -> None:
        self._connection = connection
        self._response = connection.getresponse()
        self.status = self._response.status
        self.headers = [(name.lower(), value) for name, value in self._response.getheaders()]

    def header(self, name: str, /) -> str | None:
        return dict(self.headers).get(name)

    def read(self, size: int = -1, /) -> bytes:
        try:
            return self._response.read(size if size >= 0 else None)
        except (OSError, http.client.HTTPException) as error:
            raise TransportError(str(error)) from error

    def close(self) -> None:
        self._response.close()
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Stock(NamedTuple):
    """A stock registry that runs."""

    port: int
    pid: int


@contextmanager
def stock_registry(root: Path, program: str = "docker-registry") -> Iterator[int]:
    """Debian's docker-registry, or another build of distribution, serving ``root``; gives its port."""
    with stock_process(root, program) as stock:
        yield stock.port


@contextmanager
def stock_process(root: Path, program: str = "docker-registry") -> Iterator[Stock]:
    """Like ``stock_registry``, but gives the process, too."""
    command, port = stock_command(root, program)
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(port, process)
        yield Stock(port, process.pid)
    finally:
        process.terminate()
        process.wait(10)


def stock_command(root: Path, program: str) -> tuple[list[str], int]:
    """The command that starts such a registry, and the port where it will listen."""
    port = free_port()
    config = root.parent / f"{root.name}.yml"
    config.write_text(CONFIG.format(root=root, port=port))
    return [require_tool(program), "serve", str(config)], port


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    """Returns once the registry listens at ``port``."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        assert process.poll() is None, "docker-registry ended"
        with socket.socket() as attempt:
            attempt.settimeout(1)
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)  # a process cannot tell when it listens
    raise AssertionError("docker-registry does not listen")
