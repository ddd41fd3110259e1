"""``requests`` over a plugin: ``session.mount("http://udist/", UdistAdapter(plugin))``."""

from __future__ import annotations

from http.client import responses
from typing import TYPE_CHECKING, Any
from urllib.request import getproxies

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
from udist_plugin.errors import DeadlineExceeded, NoFreeSlot, UdistError

try:
    import requests
    from requests.adapters import HTTPAdapter
    from requests.utils import resolve_proxies
    from urllib3 import HTTPHeaderDict, HTTPResponse
    from urllib3.exceptions import ProtocolError, ReadTimeoutError
except ImportError as error:
    hint = "requests is not installed; pip install '.[requests]' in a checkout of udist"
    raise ImportError(hint) from error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from udist_plugin.client.plugin import Body, Plugin
    from udist_plugin.client.response import Response


class UdistAdapter(HTTPAdapter):
    """Sends requests to ``plugin``, which stays the caller's to close.

    Content is streamed both ways, a real file by the kernel. The read timeout bounds each wait for the
    plugin, and the connect timeout the wait for one of the plugin's slots; certificates and proxies mean
    nothing to it. Errors are those of requests, with udist's as their cause. Where ``Plugin(redirects=True)``
    sends blobs' requests to the store they go over the network as ``requests`` sends any, with these
    certificates and proxies.
    """

    def __init__(self, plugin: Plugin) -> None:
        super().__init__()
        self._plugin = plugin

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: ARG002 - the session reads the content then
        timeout: float | tuple[float, float] | tuple[float, None] | None = None,
        verify: bool | str = True,
        cert: bytes | str | tuple[bytes | str, bytes | str] | None = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        assert request.method is not None
        connect, read = timeout if isinstance(timeout, tuple) else (timeout, timeout)
        try:
            response = self._plugin.request(
                request.method,
                request.path_url,
                headers=[(name, _text(value)) for name, value in request.headers.items()],
                body=_body(request.body),
                patience=read,
                slot_timeout=connect,
                follow=False,
            )
        except NoFreeSlot as error:
            raise requests.ConnectTimeout(str(error), request=request) from error
        except DeadlineExceeded as error:
            raise requests.ReadTimeout(str(error), request=request) from error
        except UdistError as error:
            raise requests.ConnectionError(str(error), request=request) from error
        if self._plugin.redirects and (url := location_of(request.method, request.path_url, response)):
            response.close()

            def ask(asking: requests.PreparedRequest) -> requests.Response:
                around = _proxies(asking, proxies or {})
                return super(UdistAdapter, self).send(asking, True, timeout or PATIENCE, verify, cert, around)

            store = _fetched(url, request, ask)
            fields = handed_back(response.headers, store.headers.items())
            return self._answered(request, store.status_code, fields, store.raw)
        content = _Content(response, request.path_url)
        return self._answered(request, response.status, response.headers, content)

    def _answered(
        self, request: requests.PreparedRequest, status: int, fields: list[tuple[str, str]], content: Any
    ) -> requests.Response:
        raw = HTTPResponse(
            content,
            HTTPHeaderDict(fields),
            status,
            reason=responses.get(status),
            preload_content=False,
            decode_content=False,
            request_method=request.method,
        )
        return self.build_response(request, raw)


def _proxies(asking: requests.PreparedRequest, given: Mapping[str, str]) -> dict[str, str]:
    """For the store. The session has added the environment's to its own for the plugin's URL, which
    ``NO_PROXY`` does not name."""
    around = getproxies()
    return resolve_proxies(asking, {key: url for key, url in given.items() if around.get(key) != url})


def _fetched(
    url: str,
    request: requests.PreparedRequest,
    ask: Callable[[requests.PreparedRequest], requests.Response],
) -> requests.Response:
    """What the plugin has redirected ``request`` to."""
    answers: list[requests.Response] = []
    fields = asked((name, _text(value)) for name, value in request.headers.items())

    def fetch(url: str) -> Fetched:
        try:
            answer = ask(requests.Request(request.method, url, dict(fields)).prepare())
        except requests.RequestException as error:
            reason = getattr(error.args[0], "reason", None) or type(error).__name__
            raise type(error)(explained(url, reason), request=request) from None  # error shows the whole URL
        answers.append(answer)
        return Fetched(answer.status_code, answer.headers.get("location"), answer.close)

    try:
        follow(url, fetch)
    except UdistError as error:
        raise requests.ConnectionError(str(error), request=request) from error
    return answers[-1]


class _Content:
    """A response as the file that urllib3 reads, failing as urllib3 does, so that requests understands."""

    closed = False

    def __init__(self, response: Response, target: str) -> None:
        self._response = response
        self._target = target

    def read(self, size: int | None = None, /) -> bytes:
        try:
            return self._response.read(-1 if size is None else size)
        except DeadlineExceeded as error:
            raise ReadTimeoutError(None, self._target, str(error)) from error  # type: ignore[arg-type]
        except UdistError as error:
            raise ProtocolError(str(error), error) from error

    def close(self) -> None:
        self.closed = True
        self._response.close()


def _body(body: Any) -> Body:
    """What requests allows for a body: text, bytes, a file, or an iterable of bytes."""
    if isinstance(body, str):
        return body.encode()
    if body is None or isinstance(body, bytes) or hasattr(body, "read"):
        return body  # type: ignore[no-any-return]
    return PieceReader(body)


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("latin-1")
