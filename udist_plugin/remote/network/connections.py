"""Connections to one server, kept open between requests."""

from __future__ import annotations

import math
import socket
import ssl
import threading
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import TYPE_CHECKING, Final

from udist_plugin.errors import Cancelled, DeadlineExceeded, TransportError

if TYPE_CHECKING:
    from udist_plugin.remote.network.origin import Origin
    from udist_plugin.remote.network.proxies import Proxy

BLOCK: Final = 1 << 20
"""Bytes of a body that are read and sent at a time."""

IDLE_MAX: Final = 16
"""Connections that are kept open while nobody uses them."""

CONNECTING: Final = 15.0
"""Seconds to connect in."""

SILENCE: Final = 60.0
"""Seconds that a server may be silent within an exchange."""


class Connection:
    """An HTTP connection, used by one exchange at a time. ``reused`` says that it had one before."""

    def __init__(self, http: HTTPConnection) -> None:
        self.http = http
        self.reused = False
        self.cancelled = False

    def cancel(self) -> None:
        """Ends what another thread waits for on it."""
        self.cancelled = True
        if self.http.sock is not None:
            with suppress(OSError):
                self.http.sock.shutdown(socket.SHUT_RDWR)


class Connections:
    """Connections to ``origin``, by way of ``proxy`` if there is one. ``context`` is for TLS. A wait lasts
    ``timeout`` seconds at most, if that is less than usual."""

    def __init__(
        self,
        origin: Origin,
        context: ssl.SSLContext | None,
        proxy: Proxy | None,
        timeout: float = math.inf,
    ) -> None:
        self.origin = origin
        self.proxy = proxy
        self._context = context
        self._connecting = min(CONNECTING, timeout)
        self._silence = min(SILENCE, timeout)
        self._lock = threading.Lock()
        self._idle: list[Connection] = []
        self._busy: set[Connection] = set()

    def take(self) -> Connection:
        """One that is open. Raises ``TransportError``."""
        with self._lock:
            if self._idle:
                connection = self._idle.pop()
                self._busy.add(connection)
                return connection
        connection = Connection(self._new())
        with self._lock:
            self._busy.add(connection)
        try:
            connection.http.connect()
            assert connection.http.sock is not None
            connection.http.sock.settimeout(self._silence)
        except (OSError, HTTPException) as error:
            self.drop(connection)
            raise self.explained(connection, error) from None
        return connection

    def give_back(self, connection: Connection) -> None:
        """Its exchange is complete."""
        connection.reused = True
        with self._lock:
            self._busy.discard(connection)
            if not connection.cancelled and len(self._idle) < IDLE_MAX:
                self._idle.append(connection)
                return
        connection.http.close()

    def drop(self, connection: Connection) -> None:
        """Its exchange was not complete."""
        with self._lock:
            self._busy.discard(connection)
        connection.http.close()

    def cancel(self) -> None:
        """Ends all exchanges under way."""
        with self._lock:
            busy = list(self._busy)
        for connection in busy:
            connection.cancel()

    def close(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.http.close()

    def explained(self, connection: Connection, error: Exception) -> TransportError:
        """What the network raises, as an error of ours that says where."""
        if connection.cancelled:
            return Cancelled("the request was cancelled")
        place = f"{self.origin}" + (f" by way of {self.proxy}" if self.proxy else "")
        if isinstance(error, TimeoutError):
            return DeadlineExceeded(f"{place}: it was silent for too long")
        if isinstance(error, ssl.SSLCertVerificationError):
            return TransportError(f"{place}: its certificate is not trusted: {error.verify_message}")
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return TransportError(f"{place}: {reason}", code="UNAVAILABLE", retryable=connection.reused)

    def _new(self) -> HTTPConnection:
        at = self.proxy or self.origin
        if self._context is None:
            return HTTPConnection(at.host, at.port, timeout=self._connecting, blocksize=BLOCK)
        http = HTTPSConnection(
            at.host, at.port, timeout=self._connecting, blocksize=BLOCK, context=self._context
        )
        if self.proxy:
            http.set_tunnel(self.origin.host, self.origin.port, self.proxy.headers)
        return http
