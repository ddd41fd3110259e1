"""An HTTP server whose answers a test writes."""

from __future__ import annotations

import ssl
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


class Request(NamedTuple):
    """``port`` is the one that the client's connection comes from."""

    method: str
    target: str
    headers: dict[str, str]
    content: bytes
    port: int


class Reply(NamedTuple):
    """``cut`` is how many bytes of the content the connection lives for."""

    status: int
    content: bytes = b""
    headers: Mapping[str, str] = {}
    cut: int | None = None


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """That a client has hung up is no news, least of all to the test that runs by then."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


@contextmanager
def scripted(
    answer: Callable[[Request], Reply], *, certificate: tuple[str, str] | None = None
) -> Iterator[str]:
    """The URL of a server that stands as long as the context; ``answer`` is called by many threads.

    With the files of a ``certificate`` and its key it speaks TLS.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def answer(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            reply = answer(Request(self.command, self.path, headers, content, self.client_address[1]))
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.content)))
            self.end_headers()
            self.wfile.write(reply.content[: reply.cut])
            self.close_connection = reply.cut is not None

        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = answer  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with quiet_server(Handler, certificate=certificate) as port:
        yield f"{'https' if certificate else 'http'}://127.0.0.1:{port}"


@contextmanager
def quiet_server(
    handler: type[BaseHTTPRequestHandler], *, certificate: tuple[str, str] | None = None
) -> Iterator[int]:
    """The port of a server that stands as long as the context."""
    server = _Server(("127.0.0.1", 0), handler)
    if certificate is not None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(*certificate)
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
