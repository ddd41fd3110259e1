"""HTTP/1.1 over a listening socket: cheroot reads heads and writes them, the kernel moves files.

cheroot's own server has a fixed number of threads, makes TLS handshakes in the thread that accepts and copies
content four times. So connections, and content both ways, are served here.
"""

from __future__ import annotations

import errno
import socket
import threading
import time
from typing import TYPE_CHECKING, Any, Final
from wsgiref.util import FileWrapper

from cheroot.server import HTTPConnection, HTTPRequest, HTTPServer
from cheroot.wsgi import Gateway_10

from udist_plugin.errors import TransportError
from udist_plugin.exhaustion import exhausted
from udist_plugin.gateway.content import Buffers, ChunkedContent, Content, SizedContent
from udist_plugin.gateway.heads import coding_problem, read_fields
from udist_plugin.gateway.reader import Reader
from udist_plugin.version import __version__

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable

    Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

CONNECTIONS: Final = 512
"""Connections served at once; the next ones wait to be accepted."""

NAME: Final = "udist-connection"
"""Of the threads."""

HEAD_MAX: Final = 64 << 10
"""Bytes of a request's head."""

SILENCE: Final = 10.0
"""Seconds that a new connection may take for its handshake and until its first request, and a stranger's
until each next one."""

HEAD_TIME: Final = 20.0
"""Seconds from the first byte of a head to its last."""

IDLE: Final = 120.0
"""Seconds between requests; clients of Go end an idle connection after 90."""

STALL: Final = 300.0
"""Seconds without progress within a request or a response."""

UNREAD: Final = 16 << 20
"""Bytes that are still received and forgotten after the last response of a connection: a client that sends on
would otherwise lose the response."""

LINGER: Final = 1.0
"""Seconds for that."""

BLOCK: Final = 256 << 10
"""Bytes of a file sent at a time through TLS."""

SMALL: Final = 64 << 10
"""Bytes of content that are copied behind the head, to be sent with it."""

PAUSE: Final = 0.1
"""Seconds until the next try to accept when the system has no descriptor or thread left."""

MORE: Final = getattr(socket, "MSG_MORE", 0)
TLS_HANDSHAKE: Final = b"\x16"
NO_TLS: Final = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: 49\r\n\r\n"
    b"udist exec --tls answers https requests, not http"
)


class Server(HTTPServer):
    """Serves ``application`` to whoever connects to ``listener``."""

    def __init__(
        self,
        listener: socket.socket,
        application: Application,
        record: Callable[[str, str], object],
        errors: Any,
        context: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(listener.getsockname(), Exchange, server_name=f"udist/{__version__}")
        self.application = application
        self.buffers = Buffers()
        self.errors = errors
        self.scheme = "https" if context else "http"
        self.max_request_header_size = HEAD_MAX
        self.software = self.server_name
        self._listener = listener
        self._record = record
        self._context = context
        self._places = threading.Semaphore(CONNECTIONS)

    def serve(self) -> None:
        """Accepts connections until the listener is closed, and serves each in a thread of its own."""
        while self._listener.fileno() >= 0:
            self._places.acquire()
            try:
                accepted, address = self._listener.accept()
                threading.Thread(
                    target=self._converse, args=(accepted, address), name=NAME, daemon=True
                ).start()
            except (OSError, RuntimeError) as error:
                self._places.release()
                if exhausted(error):
                    self._record("warn", f"cannot accept a connection: {error}")
                    threading.Event().wait(PAUSE)

    @property
    def can_add_keepalive_connection(self) -> bool:
        """Whether a connection may stay open after a response; cheroot asks."""
        return True

    def error_log(self, msg: str = "", level: int = 20, traceback: bool = False) -> None:  # noqa: ARG002
        """cheroot's own messages, such as of a client that left in the middle of a response."""
        if traceback:
            from traceback import format_exc

            msg = f"{msg}\n{format_exc()}"
        self._record("error" if traceback else "info", msg)

    def _converse(self, accepted: socket.socket, address: Any) -> None:
        try:
            with accepted:
                accepted.settimeout(SILENCE)
                if (secured := self._secured(accepted)) is not None:
                    with secured:
                        _serve(Connection(self, secured, _stream), address)
        except OSError as error:
            self._record("debug", f"a connection ended: {error}")
        finally:
            self._places.release()

    def _secured(self, accepted: socket.socket) -> socket.socket | None:
        """The connection for HTTP, or ``None`` for a client that does not speak TLS where it has to."""
        if accepted.family == socket.AF_INET:
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._context is None:
            return accepted
        if accepted.recv(1, socket.MSG_PEEK) != TLS_HANDSHAKE:
            accepted.sendall(NO_TLS)
            return None
        return self._context.wrap_socket(accepted, server_side=True)


def _serve(connection: Connection, address: Any) -> None:
    if isinstance(address, tuple):
        connection.remote_addr, connection.remote_port = address[:2]
    while connection.rfile.wait():
        connection.rfile.limit(HEAD_TIME)
        if not connection.communicate():  # type: ignore[no-untyped-call]
            break
        connection.socket.settimeout(IDLE if connection.is_known else SILENCE)
    connection.rfile.limit(None)
    connection.socket.shutdown(socket.SHUT_WR)
    connection.socket.settimeout(LINGER)
    connection.rfile.discard(UNREAD, time.monotonic() + LINGER)


class Request(HTTPRequest):
    """The head of one request. What is malformed is answered."""

    header_reader = staticmethod(read_fields)

    def read_request_line(self) -> bool:
        """Whether it is well-formed."""
        try:
            return bool(super().read_request_line())  # type: ignore[no-untyped-call]
        except ValueError:  # of urllib, for a target such as //[
            self.simple_response("400 Bad Request", "Malformed Request-URI")
            return False

    def read_request_headers(self) -> bool:
        """Whether they are well-formed and tell where the content ends."""
        if not super().read_request_headers():  # type: ignore[no-untyped-call]
            return False
        problem = coding_problem(self.inheaders, self.response_protocol)
        if problem:
            self.simple_response("400 Bad Request", problem)
        return not problem


class Connection(HTTPConnection):
    """One connection. ``is_known`` is whether a request of it had the credential."""

    is_known = False
    RequestHandlerClass = Request
    ssl_env: Any = {}  # noqa: RUF012 - cheroot's name, never changed


def _stream(connection: socket.socket, mode: str, _: int) -> Reader | Writer:
    """cheroot's ``makefile``."""
    return Reader(connection) if "r" in mode else Writer(connection)


class Writer:
    """What cheroot writes heads to. It keeps one while ``holding``, so that content can go with it."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self.holding = False
        self.held = b""

    def write(self, data: bytes) -> None:
        if self.holding:
            self.held += data
        else:
            self._connection.sendall(data)

    def release(self) -> bytes:
        """What is held."""
        data, self.held, self.holding = self.held, b"", False
        return data


class Exchange(Gateway_10):
    """One request and its response; cheroot makes one for each request it has read the head of."""

    req: HTTPRequest
    env: dict[str, Any]
    remaining_bytes_out: int | None
    """The response's Content-Length, once it is told."""

    def get_environ(self) -> dict[str, Any]:  # type: ignore[override] # its stub says None
        environ: dict[str, Any] = super().get_environ()  # type: ignore[no-untyped-call]
        server = self.req.server
        environ |= {
            "wsgi.input": self._content(),
            "wsgi.input_terminated": True,
            "wsgi.errors": server.errors,
            "wsgi.url_scheme": server.scheme,
            "wsgi.file_wrapper": FileWrapper,
            "udist.capabilities": frozenset(),
        }
        return environ

    def respond(self) -> None:
        """Has the application answer, and sends what it answers."""
        content = self.env["wsgi.input"]
        if content is None:
            self.req.simple_response("400 Bad Request", "Malformed Content-Length")
            self.req.close_connection = self.req.sent_headers = True
            return
        self.req.rfile = content  # cheroot would read what is left of it into memory
        self.req.conn.rfile.limit(None)
        self.req.conn.socket.settimeout(STALL)
        try:
            result = self.req.server.application(self.env, self.start_response)
        except TransportError as error:  # nobody is left to answer
            raise ConnectionResetError(errno.ECONNRESET, str(error)) from error
        self.req.conn.is_known |= "REMOTE_USER" in self.env
        if not content.complete:
            self.req.close_connection = True
        try:
            self._send(self._head(), result)
        finally:
            if hasattr(result, "close"):
                result.close()

    def _content(self) -> Content | None:
        """``None`` if the head does not tell its length."""
        reader, buffers = self.req.conn.rfile, self.req.server.buffers
        if self.req.chunked_read:
            return ChunkedContent(reader, buffers)
        length = self.req.inheaders.get(b"Content-Length", b"0")
        return SizedContent(reader, buffers, int(length)) if length.isdigit() and len(length) < 20 else None

    def _head(self) -> bytes:
        writer = self.req.conn.wfile
        writer.holding = True
        self.req.ensure_headers_sent()
        head: bytes = writer.release()
        return head

    def _send(self, head: bytes, result: Iterable[bytes]) -> None:
        connection = self.req.conn.socket
        length = self.remaining_bytes_out or 0
        if isinstance(result, FileWrapper):
            connection.sendall(head, *(() if self.req.server.scheme == "https" else (MORE,)))
            sent = self._send_file(connection, result.filelike, length)
        else:
            sent = 0
            for block in result:
                sent += len(block)
                if head and len(block) <= SMALL:
                    head, block = b"", head + block
                if head:
                    connection.sendall(head)
                    head = b""
                connection.sendall(block)
            if head:
                connection.sendall(head)
                sent = length if self.req.method == b"HEAD" else 0
        if sent < length:
            raise ConnectionAbortedError(errno.ECONNABORTED, f"{length - sent} bytes of content are missing")

    def _send_file(self, connection: socket.socket, file: Any, length: int) -> int:
        if self.req.server.scheme == "http":
            return connection.sendfile(file, file.tell(), length) if length else 0
        sent = 0
        while sent < length and (block := file.read(min(BLOCK, length - sent))):
            connection.sendall(block)
            sent += len(block)
        return sent
