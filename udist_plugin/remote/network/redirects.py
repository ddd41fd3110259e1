"""Reads that a registry sends elsewhere, as to the bucket that has a blob."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin, urlsplit

from udist_plugin.errors import RedirectFailed
from udist_plugin.remote.network.origin import Origin

if TYPE_CHECKING:
    from collections.abc import Sequence

    from udist_plugin.remote.network.network import Network
    from udist_plugin.remote.network.transport import SocketResponse, SocketTransport
    from udist_plugin.remote.transport import Body, Field

HOPS: Final = 5
ELSEWHERE: Final = frozenset({301, 302, 303, 307, 308})
REPEATED: Final = frozenset({307, 308})
"""Statuses that keep the method (RFC 9110, section 15.4)."""
SECRETS: Final = frozenset({"authorization", "cookie", "proxy-authorization"})


class FollowingTransport:
    """``inner``, and where its answers to GET and HEAD lead; if ``repeats``, also where 307 and 308 lead the
    other methods, with content that is bytes. Credentials are not sent to another server."""

    def __init__(self, inner: SocketTransport, network: Network, *, repeats: bool = False) -> None:
        self._inner = inner
        self._network = network
        self._repeated = REPEATED if repeats else frozenset[int]()

    def request(
        self,
        method: str,
        target: str,
        /,
        *,
        headers: Sequence[Field] = (),
        body: Body | None = None,
        timeout: float | None = None,
    ) -> SocketResponse:
        """Raises ``RedirectFailed``, too."""
        transport = self._inner
        for _ in range(HOPS):
            response = transport.request(method, target, headers=headers, body=body, timeout=timeout)
            location = response.header("location")
            leads = ELSEWHERE if method in ("GET", "HEAD") else self._repeated
            if response.status not in leads or not location:
                return response
            response.close()
            url = urljoin(f"{transport.origin}{target}", location)
            origin = Origin.of(url)
            if (transport.origin.scheme, origin.scheme) == ("https", "http"):
                raise RedirectFailed(f"{transport.origin} leads to {origin}, which is not encrypted")
            if origin != transport.origin:
                headers = [(name, value) for name, value in headers if name.lower() not in SECRETS]
                transport = self._network.transport(origin)
            parts = urlsplit(url)
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        raise RedirectFailed(f"{self._inner.origin}: more than {HOPS} redirects")

    def cancel(self) -> None:
        self._network.cancel()

    def close(self) -> None:
        self._inner.close()
