"""A plugin in the place of urllib3's pool of connections, which is what requests sends over."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.client import HTTPMessage, responses
from typing import TYPE_CHECKING, Any, Final

from urllib3 import HTTPHeaderDict, HTTPResponse, Retry
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    MaxRetryError,
    ProtocolError,
    ReadTimeoutError,
    UnrewindableBodyError,
)

from udist_plugin.client.readers import PieceReader
from udist_plugin.errors import DeadlineExceeded, NoFreeSlot, UdistError
from udist_plugin.link.exchange import READ

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from urllib3 import Timeout

    from udist_plugin.client.plugin import Plugin
    from udist_plugin.client.readers import Body, Piece, Readable
    from udist_plugin.client.response import Response

REWINDING: Final = 10.0
"""Seconds to wait for the last piece that an attempt reads of a body, before it is rewound for the next."""


class PluginPool:
    """Takes requests as ``urllib3.HTTPConnectionPool`` does, and raises its errors, with udist's as their
    cause."""

    def __init__(self, plugin: Plugin) -> None:
        self._plugin = plugin

    def __str__(self) -> str:
        return repr(self._plugin)

    def urlopen(
        self,
        method: str,
        url: str,
        body: Body,
        headers: Mapping[str, str | bytes],
        retries: Retry,
        timeout: Timeout,
        **_: Any,
    ) -> HTTPResponse:
        """``retries`` decides what is sent again: waits for a slot count as connecting, all else that fails
        as reading."""
        source = _Rewound(body) if _may_repeat(retries) and _is_used_up(body) else None
        while True:
            response = None
            content = source.again() if source else body
            try:
                response = self._ask(method, url, content, headers, timeout)
            except HTTPError as error:
                retries = retries.increment(method, url, error=error, _pool=self)  # type: ignore[arg-type]
            else:
                if not retries.is_retry(method, response.status, "retry-after" in response.headers):
                    return response
                try:
                    retries = retries.increment(method, url, response=response, _pool=self)  # type: ignore[arg-type]
                except MaxRetryError:
                    if not retries.raise_on_status:
                        return response
                    response.close()
                    raise
                response.close()
            retries.sleep(response)

    def _ask(
        self, method: str, url: str, body: Body, headers: Mapping[str, str | bytes], timeout: Timeout
    ) -> HTTPResponse:
        with _urllib3_errors(self, url):
            response = self._plugin.request(
                method,
                url,
                headers=[(name, field_text(value)) for name, value in headers.items()],
                body=body,
                patience=timeout.read_timeout,
                slot_timeout=timeout.connect_timeout,  # type: ignore[arg-type]
                follow=False,
            )
        content = _Content(self, response, url)
        return self.answered(method, url, response.status, response.headers, content)

    def answered(
        self, method: str, url: str, status: int, fields: Iterable[tuple[str, str]], content: Any
    ) -> HTTPResponse:
        """A response as urllib3 gives it; ``content`` is a file."""
        headers = HTTPHeaderDict(fields)
        return HTTPResponse(
            content,
            headers,
            status,
            version=11,
            reason=responses.get(status),
            preload_content=False,
            decode_content=False,
            original_response=_Original(headers),  # type: ignore[arg-type]
            request_method=method,
            request_url=url,
        )


class _Original:
    """What requests takes cookies from: ``http.client``'s response, as far as it is asked."""

    def __init__(self, fields: HTTPHeaderDict) -> None:
        self.msg = HTTPMessage()
        for name, value in fields.iteritems():
            self.msg[name] = value

    def isclosed(self) -> bool:
        return True

    def close(self) -> None:
        pass


class _Content:
    """A response as the file that urllib3 reads."""

    closed = False

    def __init__(self, pool: PluginPool, response: Response, url: str) -> None:
        self._pool = pool
        self._response = response
        self._url = url

    def read(self, size: int | None = None, /) -> bytes:
        with _urllib3_errors(self._pool, self._url):
            return self._response.read(-1 if size is None else size)

    def read1(self, size: int = -1, /) -> bytes:
        buffer = bytearray(READ if size < 0 else min(size, READ))
        with _urllib3_errors(self._pool, self._url):
            count = self._response.readinto(buffer)
        return bytes(memoryview(buffer)[:count])

    def close(self) -> None:
        self.closed = True
        self._response.close()


class _Rewound:
    """A body that is read from its place again for each attempt. One that was given up may still be reading
    it, and is told so: the content must not look as if it had ended there."""

    def __init__(self, body: Any) -> None:
        self._body: Any = _as_file(body)
        self._lock = threading.Lock()
        self._attempt = 0
        try:
            self._position: int | None = self._body.tell()
        except (AttributeError, OSError):
            self._position = None

    def again(self) -> Readable:
        if not self._lock.acquire(timeout=REWINDING):
            raise UnrewindableBodyError(
                f"the body has been read for {REWINDING:g} s, and cannot be sent again"
            )
        try:
            if self._attempt and self._position is None:
                raise UnrewindableBodyError("the body cannot be rewound, and so not be sent again")
            if self._attempt:
                self._body.seek(self._position)
            self._attempt += 1
            return _Attempt(self, self._attempt)
        finally:
            self._lock.release()

    def read(self, attempt: int, size: int) -> Piece:
        with self._lock:
            if attempt != self._attempt:
                raise HTTPError("the request was given up, and is sent again")
            return self._body.read(size)  # type: ignore[no-any-return]


class _Attempt:
    def __init__(self, body: _Rewound, number: int) -> None:
        self._body = body
        self._number = number

    def read(self, size: int = -1, /) -> Piece:
        return self._body.read(self._number, size)


def _may_repeat(retries: Retry) -> bool:
    return bool(retries.total) or retries.total is None


def _is_used_up(body: Body) -> bool:
    """Whether it is gone once it has been sent."""
    return hasattr(body, "read") or hasattr(body, "__next__")


def _as_file(body: Any) -> Any:
    return body if hasattr(body, "read") else PieceReader(body)


@contextmanager
def _urllib3_errors(pool: PluginPool, url: str) -> Iterator[None]:
    try:
        yield
    except NoFreeSlot as error:
        raise ConnectTimeoutError(str(error)) from error
    except DeadlineExceeded as error:
        raise ReadTimeoutError(pool, url, str(error)) from error  # type: ignore[arg-type]
    except UdistError as error:
        raise ProtocolError(str(error)) from error


def field_text(value: str | bytes) -> str:
    """A field's value as text (RFC 9110, section 5.5)."""
    return value if isinstance(value, str) else value.decode("latin-1")
