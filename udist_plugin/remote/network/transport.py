"""HTTP/1.1 over sockets: a ``Transport`` to one server."""

from __future__ import annotations

import ssl
from contextlib import suppress
from http.client import HTTPException, HTTPResponse
from io import FileIO
from typing import TYPE_CHECKING, Final

from udist_plugin.errors import TransportError
from udist_plugin.remote.network.connections import BLOCK
from udist_plugin.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Self

    from udist_plugin.remote.network.connections import Connection, Connections
    from udist_plugin.remote.transport import Body, Field

DRAINED: Final = 4096
"""Bytes of content that are read rather than given up."""

USER_AGENT: Final = f"udist/{__version__}"


class SocketTransport:
    """Exchanges over ``connections``. Safe for any number of threads."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self.origin = connections.origin

    def request(
        self,
        method: str,
        target: str,
        /,
        *,
        headers: Sequence[Field] = (),
        body: Body | None = None,
        timeout: float | None = None,  # noqa: ARG002 - each wait is bounded
    ) -> SocketResponse:
        """As ``Transport.request``. What a server answers before it has read all of ``body`` counts."""
        connection = self._connections.take()
        try:
            return SocketResponse(
                self._connections, connection, self._send(connection, method, target, headers, body)
            )
        except (OSError, HTTPException) as error:
            self._connections.drop(connection)
            raise self._connections.explained(connection, error) from None
        except BaseException:
            self._connections.drop(connection)
            raise

    def _send(
        self, connection: Connection, method: str, target: str, headers: Sequence[Field], body: Body | None
    ) -> HTTPResponse:
        http, proxy = connection.http, self._connections.proxy
        if proxy and self.origin.scheme == "http":
            target, headers = f"{self.origin}{target}", [*headers, *proxy.headers.items()]
        http.putrequest(method, target)
        named = dict(headers)
        for name, value in headers:
            http.putheader(name, value)
        if "user-agent" not in named:
            http.putheader("user-agent", USER_AGENT)
        if isinstance(body, bytes) and "content-length" not in named:
            http.putheader("content-length", str(len(body)))
        chunked = body is not None and not isinstance(body, bytes) and "content-length" not in named
        if chunked:
            http.putheader("transfer-encoding", "chunked")
        try:
            if isinstance(body, FileIO) and not chunked:
                http.endheaders()
                assert http.sock is not None
                http.sock.sendfile(body, body.tell(), int(named["content-length"]) or None)
            else:
                http.endheaders(body, encode_chunked=chunked)
        except (ConnectionError, ssl.SSLError):
            with suppress(OSError, HTTPException):
                return self._early_answer(connection)
            raise
        return http.getresponse()

    def _early_answer(self, connection: Connection) -> HTTPResponse:
        """What the server said before it closed."""
        response = connection.http.getresponse()
        response.will_close = True
        return response

    def cancel(self) -> None:
        self._connections.cancel()

    def close(self) -> None:
        self._connections.close()


class SocketResponse:
    """A response; its connection is used again once it is read to its end."""

    def __init__(self, connections: Connections, connection: Connection, response: HTTPResponse) -> None:
        self.status = response.status
        self.headers = [(name.lower(), value) for name, value in response.getheaders()]
        self._connections = connections
        self._connection: Connection | None = connection
        self._response = response
        if response.length == 0:
            response.read()  # which finds that nothing comes
        self._release_at_end()

    def header(self, name: str, /) -> str | None:
        values = [value for key, value in self.headers if key == name]
        return ", ".join(values) if values else None

    def read(self, size: int = -1, /) -> bytes:
        if size < 0:
            return b"".join(iter(lambda: self.read(BLOCK), b""))
        buffer = bytearray(min(size, BLOCK))
        return bytes(memoryview(buffer)[: self.readinto(buffer)])

    def readinto(self, buffer: bytearray | memoryview, /) -> int:
        """Fills ``buffer`` as far as there is content, and returns how much; 0 at the end."""
        return self._received(buffer, self._response.readinto)

    def readinto1(self, buffer: bytearray | memoryview, /) -> int:
        """Reads into ``buffer`` what is here, or else what comes next, and returns how much; 0 at the end."""
        return self._received(buffer, self._readinto1)

    def _readinto1(self, buffer: bytearray | memoryview) -> int:
        """What ``HTTPResponse`` has for ``read1`` only."""
        response = self._response
        if response.length is None:
            data = response.read1(len(buffer))
            buffer[: len(data)] = data
            return len(data)
        count = response.fp.readinto1(memoryview(buffer)[: response.length])
        response.length -= count
        if not response.length:
            response.read()  # which finds that nothing comes
        return count

    def _received(
        self, buffer: bytearray | memoryview, receive: Callable[[bytearray | memoryview], int]
    ) -> int:
        connection = self._connection
        if connection is None or not len(buffer):
            return 0
        try:
            count = receive(buffer)
        except (OSError, HTTPException) as error:
            self.close()
            raise self._connections.explained(connection, error) from None
        if not count and self._response.length:
            self.close()
            raise TransportError(
                f"{self._connections.origin}: the response ended {self._response.length} bytes early"
            )
        self._release_at_end()
        return count

    def close(self) -> None:
        """Gives up what was not read; of a few bytes, a read is cheaper than a new connection."""
        with suppress(OSError, HTTPException):
            if self._connection is not None and 0 < (self._response.length or 0) <= DRAINED:
                self._response.read()
                self._release_at_end()
        connection, self._connection = self._connection, None
        if connection is not None:
            self._response.close()
            self._connections.drop(connection)

    def _release_at_end(self) -> None:
        if self._response.isclosed() and self._connection is not None:
            connection, self._connection = self._connection, None
            if self._response.will_close:
                self._connections.drop(connection)
            else:
                self._connections.give_back(connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
