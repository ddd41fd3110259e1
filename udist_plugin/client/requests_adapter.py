"""``requests`` over a plugin: ``session.mount("http://udist/", UdistAdapter(plugin))``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.request import getproxies

from udist_plugin.client.redirects import (
    PATIENCE,
    Fetched,
    asked,
    explained,
    follow,
    handed_back,
    location_of,
)
from udist_plugin.errors import UdistError

try:
    import requests
    from requests.adapters import HTTPAdapter
    from requests.utils import resolve_proxies
except ImportError as error:
    hint = "requests is not installed; pip install '.[requests]' in a checkout of udist"
    raise ImportError(hint) from error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from urllib3 import Retry

    from udist_plugin.client.plugin import Plugin


class UdistAdapter(HTTPAdapter):
    """Sends requests to ``plugin``, which stays the caller's to close.

    Content is streamed both ways, a real file by the kernel. The read timeout bounds each wait for the
    plugin, and the connect timeout the wait for one of the plugin's slots; certificates and proxies mean
    nothing to it. ``max_retries`` is as ``HTTPAdapter`` has it. Errors are those of requests, with udist's as
    their cause. Where ``Plugin(redirects=True)`` sends blobs' requests to the store they go over the network
    as ``requests`` sends any, with these certificates and proxies.
    """

    __attrs__ = (*HTTPAdapter.__attrs__, "_plugin")  # pickling says why a plugin cannot be

    def __init__(self, plugin: Plugin, max_retries: Retry | int = 0) -> None:
        from udist_plugin.client.urllib3_pool import PluginPool

        super().__init__(max_retries=max_retries)
        self._plugin = plugin
        self._pool = PluginPool(plugin)
        self._network = HTTPAdapter(max_retries=max_retries)

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: float | tuple[float, float] | tuple[float, None] | None = None,
        verify: bool | str = True,
        cert: bytes | str | tuple[bytes | str, bytes | str] | None = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        assert request.method is not None
        try:
            answer = super().send(request, stream, timeout, verify, cert, proxies)
        except requests.RequestException as error:
            raise error from _cause(error)
        head = _Head(answer.status_code, answer.headers.get)
        if not (self._plugin.redirects and (url := location_of(request.method, request.path_url, head))):
            return answer
        answer.close()

        def ask(asking: requests.PreparedRequest) -> requests.Response:
            around = _proxies(asking, proxies or {})
            return self._network.send(asking, True, timeout or PATIENCE, verify, cert, around)

        store = _fetched(url, request, ask)
        fields = handed_back(answer.raw.headers.iteritems(), store.headers.items())
        raw = self._pool.answered(request.method, request.path_url, store.status_code, fields, store.raw)
        return self.build_response(request, raw)

    def get_connection_with_tls_context(self, *_: Any, **__: Any) -> Any:
        return self._pool

    def cert_verify(self, *_: Any) -> None:
        """There is no connection to secure."""

    def request_url(self, request: requests.PreparedRequest, proxies: object) -> str:  # noqa: ARG002
        """In origin form, whatever proxies there are."""
        return request.path_url

    def close(self) -> None:
        super().close()
        self._network.close()


class _Head(NamedTuple):
    """What ``location_of`` looks at."""

    status: int
    header: Callable[[str], str | None]


def _cause(error: BaseException) -> BaseException | None:
    """udist's error behind one of requests', else what was behind that anyway."""
    behind = error.__cause__ or error.__context__
    while behind is not None and not isinstance(behind, UdistError):
        behind = behind.__cause__ or behind.__context__
    return behind or error.__cause__ or error.__context__


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
    from udist_plugin.client.urllib3_pool import field_text

    answers: list[requests.Response] = []
    fields = asked((name, field_text(value)) for name, value in request.headers.items())

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
