"""A loopback HTTP server that hands every request to a plugin's client, for programs that only speak TCP."""

from __future__ import annotations

import contextlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from io import BufferedIOBase

    from udist_plugin.content import Readable

BLOCK_SIZE = 64 << 10


class Response(Protocol):
    """What a client answers with."""

    status: int
    headers: Sequence[tuple[str, str]]

    def read(self, size: int = -1, /) -> bytes: ...

    def close(self) -> None: ...


class Client(Protocol):
    """What a plugin's client can do."""

    def request(
        self,
        method: str,
        target: str,
        *,
        headers: list[tuple[str, str]],
        body: Readable | bytes | None,
    ) -> Any:
        """Returns a ``Response``."""


class Body:
    """A request's content on a connection: by its length, or in chunks (RFC 9112, section 7.1).

    A plugin's client may still read it when the answer is there, beside whoever drops the rest: neither may
    take what is the next request's.
    """

    def __init__(self, source: BufferedIOBase, length: int | None) -> None:
        self._lock = threading.Lock()
        self._source = source
        self._left = length or 0
        self._chunked = length is None

    def read(self, size: int = -1, /) -> bytes:
        with self._lock:
            return self._read(size)

    def _read(self, size: int) -> bytes:
        if self._chunked and not self._left:
            self._left = int(self._source.readline().partition(b";")[0], 16)
            if not self._left:
                self._chunked = False
                self._source.readline()
        size = self._left if size < 0 else min(size, self._left)
        data = self._source.read(min(size, BLOCK_SIZE))
        self._left -= len(data)
        if self._chunked and not self._left:
            self._source.readline()
        return data


class Handler(BaseHTTPRequestHandler):
    """Forwards one request, streaming both ways."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Bridge

    def forward(self) -> None:
        headers = [(name.lower(), value) for name, value in self.headers.items()]
        length = self.headers.get("Content-Length")
        chunked = self.headers.get("Transfer-Encoding", "").lower() == "chunked"
        body = Body(self.rfile, None if chunked else int(length or 0))
        hop_by_hop = {"connection", "transfer-encoding", "expect", "te", "keep-alive", "host"}
        kept = [(name, value) for name, value in headers if name not in hop_by_hop]
        response = self.server.client.request(
            self.command, self.path, headers=kept, body=body if chunked or length else None
        )
        try:
            self.answer(response)
        finally:
            response.close()
        while body.read(BLOCK_SIZE):  # what the plugin did not want must not be taken for a request
            pass

    def answer(self, response: Response) -> None:
        self.send_response(response.status)
        names = set()
        for name, value in response.headers:
            names.add(name.lower())
            self.send_header(name, value)
        if "content-length" not in names and response.status not in (204, 304):
            self.send_header("Connection", "close")
        self.end_headers()
        while data := response.read(BLOCK_SIZE):
            self.wfile.write(data)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = forward  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


class Bridge(ThreadingHTTPServer):
    """Serves ``client`` on a free port of the loopback interface."""

    daemon_threads = True

    def __init__(self, client: Client) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.client = client

    @property
    def address(self) -> str:
        """``host:port``."""
        return f"127.0.0.1:{self.server_port}"


@contextlib.contextmanager
def bridged(client: Client) -> Iterator[str]:
    """The address of a bridge to ``client`` that stands as long as the context."""
    bridge = Bridge(client)
    thread = threading.Thread(target=bridge.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield bridge.address
    finally:
        bridge.shutdown()
        bridge.server_close()
        thread.join()
