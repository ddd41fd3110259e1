"""The proxy that the environment names for a server: HTTPS_PROXY, HTTP_PROXY and NO_PROXY."""

from __future__ import annotations

import base64
import ipaddress
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, urlsplit

from udist_plugin.errors import TransportError
from udist_plugin.remote.network.origin import PORTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from udist_plugin.remote.network.origin import Origin


class Proxy(NamedTuple):
    """A proxy that is spoken to over plain HTTP, and the fields that it wants."""

    host: str
    port: int
    headers: dict[str, str]

    def __str__(self) -> str:
        return f"the proxy {self.host}:{self.port}"


def proxy_of(origin: Origin, environ: Mapping[str, str]) -> Proxy | None:
    """``None`` where there is none, and for this machine. Of a variable in both cases, capitals win.

    Raises ``TransportError``.
    """
    if origin.is_loopback:
        return None
    name = f"{origin.scheme}_proxy"
    url = environ.get(name.upper()) or environ.get(name)
    excluded = environ.get("NO_PROXY") or environ.get("no_proxy") or ""
    if not url or any(_covers(entry.strip().lower(), origin) for entry in excluded.split(",")):
        return None
    parts = urlsplit(url if "://" in url else f"http://{url}")
    if parts.scheme != "http" or not parts.hostname:
        raise TransportError(f"{name.upper()}: expected the address of a proxy, http://HOST:PORT")
    headers = {}
    if parts.username is not None:
        login = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
        headers["Proxy-Authorization"] = f"Basic {base64.b64encode(login).decode()}"
    return Proxy(parts.hostname, parts.port or PORTS["http"], headers)


def _covers(entry: str, origin: Origin) -> bool:
    """Whether an entry of NO_PROXY means a server: ``*``, a network, or a domain with what is below it, and
    perhaps a port."""
    if entry == "*":
        return True
    with suppress(ValueError):
        return ipaddress.ip_address(origin.host) in ipaddress.ip_network(entry)
    domain, colon, port = entry.removeprefix("*").rpartition(":") if ":" in entry else (entry, "", "")
    domain = domain.removeprefix("*").removeprefix(".")
    if not domain or (colon and port != str(origin.port)):
        return False
    return f".{origin.host.lower()}".endswith(f".{domain}")
