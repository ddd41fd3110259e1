"""``httpx`` over a plugin: ``httpx.Client(transport=UdistTransport(plugin), base_url="http://udist")``.

``AsyncUdistTransport`` is the same for ``httpx.AsyncClient`` and an ``AsyncPlugin``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from udist_plugin.client.readers import PieceReader
from udist_plugin.client.redirects import (
    PATIENCE,
    Fetched,
    asked,
    explained,
    follow,
    handed_back,
    location_of,
)
from udist_plugin.errors import (
    DeadlineExceeded,
    HandshakeFailed,
    NoFreeSlot,
    PluginDied,
    PluginNotFound,
    RedirectFailed,
    UdistError,
)

try:
    import httpx
except ImportError as error:
    hint = "httpx is not installed; pip install '.[httpx]' in a checkout of udist"
    raise ImportError(hint) from error

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Iterator
    from typing import Any, Self

    from udist_plugin.client.async_plugin import AsyncPlugin
    from udist_plugin.client.async_response import AsyncResponse
    from udist_plugin.client.plugin import Plugin
    from udist_plugin.client.readers import Readable
    from udist_plugin.client.response import Response


class UdistTransport(httpx.BaseTransport):
    """Sends requests to ``plugin``, which stays the caller's to close; the URL's host may be any.

    Content is streamed both ways. The longer of httpx's read and write timeouts bounds each wait for the
    plugin, and its pool timeout the wait for one of the plugin's slots; there is nothing to connect to.
    Errors are httpx's own, with udist's as their cause.
    Where ``Plugin(redirects=True)`` sends blobs' requests to the store they go over ``network``, a
    plain ``httpx.Client`` unless another is given; either is closed with this transport.
    """

    def __init__(self, plugin: Plugin, network: httpx.Client | None = None) -> None:
        self._plugin = plugin
        self._network = network or httpx.Client() if plugin.redirects else None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(request.stream, httpx.SyncByteStream)
        method, target, fields = _head(request)
        body = _body(request, request.stream)
        try:
            response = self._plugin.request(method, target, fields, body, **_limits(request), follow=False)
        except UdistError as error:
            raise _translated(error, request) from error
        if self._network and (url := location_of(method, target, response)):
            response.close()
            return _fetched(url, request, response, self._network)
        return httpx.Response(
            response.status, headers=response.headers, stream=_Content(response, request), request=request
        )

    def close(self) -> None:
        if self._network:
            self._network.close()


class AsyncUdistTransport(httpx.AsyncBaseTransport):
    """Sends requests to ``plugin``, which stays the caller's to close, as ``UdistTransport`` does.

    Content that comes asynchronously is sent before the response is waited for, as httpx sends it over a
    network. Redirects to the store are followed by ``AsyncPlugin``.
    """

    def __init__(self, plugin: AsyncPlugin) -> None:
        if not hasattr(plugin, "__aenter__"):
            raise TypeError("AsyncUdistTransport takes an AsyncPlugin, which AsyncPlugin.of(plugin) makes")
        self._plugin = plugin

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            response = await self._plugin.request(*_head(request), _async_body(request), **_limits(request))
        except UdistError as error:
            raise _translated(error, request) from error
        content = _AsyncContent(response, request)
        return httpx.Response(response.status, headers=response.headers, stream=content, request=request)


def _fetched(url: str, request: httpx.Request, redirect: Response, network: httpx.Client) -> httpx.Response:
    """What the plugin has redirected ``request`` to, as its own answer."""
    answers: list[httpx.Response] = []
    timeout = dict.fromkeys(("connect", "read", "write", "pool"), PATIENCE)
    timeout |= {key: value for key, value in request.extensions.get("timeout", {}).items() if value}

    def fetch(url: str) -> Fetched:
        asking = httpx.Request(
            request.method, url, headers=asked(request.headers.multi_items()), extensions={"timeout": timeout}
        )
        try:
            answer = network.send(asking, stream=True, auth=None, follow_redirects=False)
        except httpx.TransportError as error:
            reason = str(error) or type(error).__name__
            raise type(error)(explained(url, reason), request=request) from error
        answers.append(answer)
        return Fetched(answer.status_code, answer.headers.get("location"), answer.close)

    try:
        follow(url, fetch)
    except UdistError as error:
        raise _translated(error, request) from error
    answer = answers[-1]
    headers = handed_back(redirect.headers, answer.headers.multi_items())
    return httpx.Response(answer.status_code, headers=headers, stream=answer.stream, request=request)


class _Content(httpx.SyncByteStream):
    def __init__(self, response: Response, request: httpx.Request) -> None:
        self._response = response
        self._request = request

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._response
        except UdistError as error:
            raise _translated(error, self._request) from error

    def close(self) -> None:
        self._response.close()


class _AsyncContent(httpx.AsyncByteStream):
    def __init__(self, response: AsyncResponse, request: httpx.Request) -> None:
        self._response = response
        self._request = request

    def __aiter__(self) -> Self:  # a generator, left before its end, is one that trio warns about
        return self

    async def __anext__(self) -> bytes:
        try:
            return await anext(self._response)
        except UdistError as error:
            raise _translated(error, self._request) from error

    async def aclose(self) -> None:
        await self._response.aclose()


def _has_content(request: httpx.Request) -> bool:
    return "content-length" in request.headers or "transfer-encoding" in request.headers


def _body(request: httpx.Request, stream: httpx.SyncByteStream) -> bytes | Readable | None:
    """What is there whole needs no thread to be sent beside the response."""
    if not _has_content(request):
        return None
    return b"".join(stream) if isinstance(stream, httpx.ByteStream) else PieceReader(stream)


def _async_body(request: httpx.Request) -> bytes | Readable | AsyncIterable[bytes] | None:
    """What can be read without the event loop is: it takes fewer turns of it."""
    if isinstance(request.stream, httpx.SyncByteStream):
        return _body(request, request.stream)
    assert isinstance(request.stream, httpx.AsyncByteStream)
    return request.stream if _has_content(request) else None


def _head(request: httpx.Request) -> tuple[str, str, list[tuple[str, str]]]:
    return request.method, request.url.raw_path.decode("ascii"), request.headers.multi_items()


def _limits(request: httpx.Request) -> Any:
    """What else a request is made with."""
    return {
        "patience": _patience(request),
        "slot_timeout": _timeout(request, "pool"),
        "scheme": request.url.scheme,
        "authority": request.url.netloc.decode("ascii"),
    }


def _patience(request: httpx.Request) -> float | None:
    read, write = _timeout(request, "read"), _timeout(request, "write")
    return None if read is None or write is None else max(read, write)


def _timeout(request: httpx.Request, kind: str) -> float | None:
    seconds: float | None = request.extensions.get("timeout", {}).get(kind)
    return seconds


def _translated(error: UdistError, request: httpx.Request) -> httpx.TransportError:
    kind: type[httpx.TransportError]
    match error:
        case NoFreeSlot():
            kind = httpx.PoolTimeout
        case DeadlineExceeded():
            kind = httpx.ReadTimeout
        case PluginNotFound() | HandshakeFailed():
            kind = httpx.ConnectError
        case PluginDied() | RedirectFailed():
            kind = httpx.ReadError
        case _:
            kind = httpx.RemoteProtocolError
    return kind(str(error), request=request)
