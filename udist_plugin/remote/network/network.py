"""The servers that one program speaks to: their certificates, proxies, and whether they speak TLS at all."""

from __future__ import annotations

import math
import ssl
import threading
from typing import TYPE_CHECKING

from udist_plugin.errors import TransportError
from udist_plugin.remote.network.certificates import certificates_in, certificates_of
from udist_plugin.remote.network.connections import Connections
from udist_plugin.remote.network.origin import Origin
from udist_plugin.remote.network.proxies import proxy_of
from udist_plugin.remote.network.transport import SocketTransport

if TYPE_CHECKING:
    from collections.abc import Mapping


class Network:
    """Transports by origin. ``environ`` names proxies and the user's folders; the folder ``certificates`` is
    used instead of those for certificates. A wait for a server lasts ``timeout`` seconds at most, if that is
    less than usual. Safe for any number of threads."""

    def __init__(self, environ: Mapping[str, str], certificates: str = "", timeout: float = math.inf) -> None:
        self._environ = environ
        self._certificates = certificates
        self._timeout = timeout
        self._lock = threading.Lock()
        self._transports: dict[tuple[Origin, bool], SocketTransport] = {}

    def transport(self, origin: Origin, *, insecure: bool = False) -> SocketTransport:
        """The transport to a server; with ``insecure``, its certificate is not verified.

        Raises ``TransportError``.
        """
        with self._lock:
            found = self._transports.get((origin, insecure))
            if found is None:
                context = self._context(origin, insecure=insecure) if origin.scheme == "https" else None
                proxy = proxy_of(origin, self._environ)
                connections = Connections(origin, context, proxy, self._timeout)
                found = self._transports[origin, insecure] = SocketTransport(connections)
            return found

    def registry(self, authority: str, *, insecure: bool = False) -> SocketTransport:
        """The transport to the registry at ``host[:port]``: TLS, or without it where there is none and
        ``insecure`` allows it, as this machine does.

        Raises ``TransportError``.
        """
        secure = Origin.of(f"https://{authority}")
        transport = self.transport(secure, insecure=insecure)
        if not insecure and not secure.is_loopback:
            return transport
        plain = Origin.of(f"http://{authority}")
        with self._lock:
            if (plain, False) in self._transports:
                return self._transports[plain, False]
        try:
            transport.request("GET", "/v2/").close()
        except TransportError as error:
            if "certificate" in str(error):
                raise
            return self.transport(plain)
        return transport

    def cancel(self) -> None:
        """Ends all exchanges under way."""
        with self._lock:
            transports = list(self._transports.values())
        for transport in transports:
            transport.cancel()

    def close(self) -> None:
        with self._lock:
            transports = list(self._transports.values())
            self._transports.clear()
        for transport in transports:
            transport.close()

    def _context(self, origin: Origin, *, insecure: bool) -> ssl.SSLContext:
        context = ssl.create_default_context()
        found = (
            certificates_in(self._certificates)
            if self._certificates
            else certificates_of(origin, self._environ)
        )
        for authority in found.authorities:
            context.load_verify_locations(authority)
        for certificate, key in found.clients:
            context.load_cert_chain(certificate, key)
        if insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context
