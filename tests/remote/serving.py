"""An HTTP server on loopback that answers what a test says and remembers what it was asked."""

from __future__ import annotations

import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator


class Asked(NamedTuple):
    """A request; the names of its fields are in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: int


class Answer(NamedTuple):
    """What is answered. ``cut`` closes the connection after so many bytes of ``body``; after the first
    ``paused`` bytes, the rest waits for ``go_on``."""

    status: int = 200
    headers: list[tuple[str, str]] = []  # noqa: RUF012 - never changed
    body: bytes = b""
    cut: int | None = None
    paused: int = 0
    go_on: threading.Event | None = None


class Served:
    """A server that runs. ``asked`` are the requests so far."""

    def __init__(self, answer: Callable[[Asked], Answer], context: ssl.SSLContext | None) -> None:
        self.asked: list[Asked] = []
        served = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def handle_any(self) -> None:
                names = {name.lower() for name in self.headers}
                headers = {name: ", ".join(self.headers.get_all(name, [])) for name in names}
                asked = Asked(self.command, self.path, headers, self._body(headers), self.client_address[1])
                served.asked.append(asked)
                self._send(answer(asked))

            do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815

            def _body(self, headers: dict[str, str]) -> bytes:
                if headers.get("transfer-encoding") == "chunked":
                    found = b""
                    while size := int(self.rfile.readline(), 16):
                        found += self.rfile.read(size)
                        self.rfile.readline()
                    self.rfile.readline()
                    return found
                return self.rfile.read(int(headers.get("content-length", 0)))

            def _send(self, told: Answer) -> None:
                self.send_response(told.status)
                length = (
                    []
                    if "content-length" in dict(told.headers)
                    else [("content-length", str(len(told.body)))]
                )
                for name, value in [*length, *told.headers]:
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    body = told.body[: told.cut]
                    if told.go_on is not None:
                        self.wfile.write(body[: told.paused])
                        told.go_on.wait(60)
                        body = body[told.paused :]
                    self.wfile.write(body)
                if told.cut is not None:
                    self.close_connection = True

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: object, client_address: object) -> None:
                if not isinstance(sys.exception(), ConnectionError):
                    super().handle_error(request, client_address)  # type: ignore[arg-type]

        self._server = Server(("127.0.0.1", 0), Handler)
        if context is not None:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self) -> Served:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)


@contextmanager
def serving(answer: Callable[[Asked], Answer], context: ssl.SSLContext | None = None) -> Iterator[Served]:
    """Runs a server until the block ends."""
    with Served(answer, context) as served:
        yield served
