"""Content fetched from a store over the network, as the standard library knows it: by the proxies that the
environment names, and with the system's certificates."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from functools import cache, partial
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import TYPE_CHECKING, Any
from urllib.error import URLError
from urllib.request import AbstractHTTPHandler, OpenerDirector, ProxyHandler, Request

from udist_plugin.client.redirects import PATIENCE, Fetched, asked, explained, failed, follow, handed_back
from udist_plugin.client.response import Response
from udist_plugin.errors import Cancelled, DeadlineExceeded
from udist_plugin.link.exchange import READ
from udist_plugin.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from http.client import HTTPResponse
    from typing import TypeVar

    Result = TypeVar("Result")


def fetch(
    store: Store, method: str, url: str, fields: Iterable[tuple[str, str]], redirect: Response
) -> Response:
    """What the plugin has redirected a request with ``fields`` to, as its own answer.

    Raises ``RedirectFailed``, ``DeadlineExceeded``.
    """
    headers = {"user-agent": f"udist-python/{__version__}", **dict(asked(fields))}

    def ask(url: str) -> Fetched:
        answer = store.ask(Request(url, method=method, headers=headers))  # noqa: S310 - http or https
        return Fetched(answer.status, answer.headers["location"], answer.close)

    follow(url, ask)
    answer = store.answer
    return Response(answer.status, handed_back(redirect.headers, answer.headers.items()), store, store.close)


class Store:
    """One exchange with a store after the other; the content of the last one's ``answer`` is read.

    ``deadline`` and ``patience`` are those of ``Plugin.request``.
    """

    answer: HTTPResponse
    trailers = ()

    def __init__(self, deadline: float | None, patience: float | None) -> None:
        self._deadline = deadline
        self._patience = patience or PATIENCE
        self._url = ""
        self._left: int | None = None
        self._socket: socket.socket | None = None
        self._closed = False
        self._reading = threading.Lock()
        self._opener = OpenerDirector()
        for handler in (ProxyHandler(), _Connecting(self._connected)):
            self._opener.add_handler(handler)

    def ask(self, request: Request) -> HTTPResponse:
        """The answer to ``request``, whatever its status is."""
        self._url, self._socket = request.full_url, None
        self.answer = self._wait(lambda timeout: self._opener.open(request, timeout=timeout))
        self._left = self.answer.length
        return self.answer

    def read_into(self, target: memoryview) -> int:
        """Reads once into ``target``; 0 at the content's end."""
        data = self._next(len(target))
        target[: len(data)] = data
        return len(data)

    def read(self, size: int = -1) -> bytes:
        """``size`` bytes, fewer only at the content's end; all that is left when negative."""
        parts = []
        while size and (data := self._next(min(size, READ) if size > 0 else READ)):
            parts.append(data)
            size -= len(data) if size > 0 else 0
        return b"".join(parts)

    def interrupt(self) -> None:
        """Ends what another thread waits for; only finding the store's address takes the time it takes."""
        self._closed = True
        if self._socket:
            with contextlib.suppress(OSError):  # the store may have closed it before
                self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Ends a read of another thread, too."""
        self.interrupt()
        with self._reading:
            self.answer.close()

    @property
    def ended(self) -> bool:
        return self._left == 0 or self.answer.isclosed()

    def _next(self, size: int) -> bytes:
        with self._reading:
            data = self._wait(lambda _: self.answer.read1(size))
        if self._closed:
            raise Cancelled("the response was closed")
        if self._left is not None:
            self._left -= len(data)
            if size and self._left and not data:
                raise failed(self._url, f"it ended {self._left} bytes early")
        return data

    def _wait(self, action: Callable[[float], Result]) -> Result:
        """``action``, for no longer than its user waits; what the network raises as this package's errors."""
        if self._closed:
            raise Cancelled("the response was closed")
        timeout = self._patience
        if self._deadline is not None:
            timeout = min(timeout, self._deadline - time.monotonic())
        if timeout <= 0:
            raise DeadlineExceeded(explained(self._url, "the time allowed for it has passed"))
        try:
            if self._socket:
                self._socket.settimeout(timeout)
            return action(timeout)
        except (OSError, HTTPException, ValueError) as error:
            reason = error.reason if isinstance(error, URLError) else error
            if self._closed:
                raise Cancelled("the response was closed") from None
            if isinstance(reason, TimeoutError):
                silence = f"it was silent for {timeout:.3g} s"
                raise DeadlineExceeded(explained(self._url, silence)) from None
            raise failed(self._url, reason) from None

    def _connected(self, connection: socket.socket) -> None:
        self._socket = connection
        if self._closed:
            self.interrupt()


class _Connecting(AbstractHTTPHandler):
    """Makes connections of http and https, and hands each one's socket to ``connected``: urllib keeps it to
    itself, and it takes the socket to shorten a wait or to end one."""

    http_request = https_request = AbstractHTTPHandler.do_request_

    def __init__(self, connected: Callable[[socket.socket], None]) -> None:
        super().__init__()
        self._connected = connected

    def http_open(self, request: Request) -> HTTPResponse:
        return self.do_open(partial(_Plain, self._connected), request)

    def https_open(self, request: Request) -> HTTPResponse:
        return self.do_open(partial(_Encrypted, self._connected), request, context=_certificates())


class _Plain(HTTPConnection):
    def __init__(self, connected: Callable[[socket.socket], None], *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._told = connected

    def connect(self) -> None:
        super().connect()
        self._told(self.sock)


class _Encrypted(_Plain, HTTPSConnection):
    pass


@cache
def _certificates() -> ssl.SSLContext:
    return ssl.create_default_context()
