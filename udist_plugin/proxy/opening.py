"""From a configuration to a cache."""

from __future__ import annotations

import math
from contextlib import suppress
from typing import TYPE_CHECKING

from udist_plugin.errors import InvalidPath, PathNotFound
from udist_plugin.proxy.expiry import Expiry
from udist_plugin.proxy.registry import ProxyRegistry
from udist_plugin.proxy.upstream import Login, Upstream
from udist_plugin.remote.network.network import Network
from udist_plugin.storage import paths
from udist_plugin.storage.registry import StorageRegistry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from udist_plugin.config.keys.own_proxy import Upstream as UpstreamSettings
    from udist_plugin.config.keys.proxy import Proxy as ProxySettings
    from udist_plugin.config.model import Configuration
    from udist_plugin.drivers.base import StorageDriver
    from udist_plugin.oci.digest import Digest
    from udist_plugin.registry import Registry


class Proxy:
    """What a registry needs to be a cache, and its job: expiry, and at the end the upstreams' connections."""

    def __init__(
        self, configuration: Configuration, driver: StorageDriver, environ: Mapping[str, str]
    ) -> None:
        """``environ`` names proxies of HTTP, and where certificates are."""
        self._driver = driver
        self._registry: ProxyRegistry | None = None
        self._record: Callable[[str, str], object] = lambda *_: None
        self._patience = configuration.http.draintimeout / 2  # requests may have used the other half already
        self._network = Network(environ)
        own, main = configuration.udist.proxy, configuration.proxy
        self._immutable = own.immutable if own else ()
        upstreams = [self._upstream(each, each.prefix) for each in (own.upstreams if own else ())]
        # Of two prefixes that fit, the longer one is meant.
        self._upstreams = sorted(upstreams, key=lambda each: -len(each.prefix))
        if main and main.remoteurl:
            self._upstreams.append(self._upstream(main, ""))
        shortest = min((each.ttl for each in self._upstreams), default=math.inf)
        self._expiry = Expiry(driver, lambda: StorageRegistry(driver), shortest)

    def wrap(self, inner: Registry, store: Registry) -> ProxyRegistry:
        """``inner`` as a cache that keeps what it pulls in ``store``, unguarded, below ``inner``."""
        self._registry = ProxyRegistry(
            inner, store, self._upstreams, self._expiry.plan, self._stands, self._tell, self._immutable
        )
        return self._registry

    def start(self, record: Callable[[str, str], object]) -> None:
        self._record = record
        self._expiry.start(record)

    def close(self) -> None:
        if self._registry is not None:
            self._registry.close(self._patience)
        self._expiry.close()
        self._network.cancel()
        self._network.close()

    def _upstream(self, settings: ProxySettings | UpstreamSettings, prefix: str) -> Upstream:
        login = Login(settings.username, settings.password, settings.exec.command, settings.exec.lifetime)
        return Upstream(settings.remoteurl, self._network, login, prefix=prefix, ttl=settings.ttl)

    def _tell(self, message: str) -> None:
        self._record("error", message)

    def _stands(self, digest: Digest) -> bool:
        with suppress(PathNotFound, InvalidPath):
            return self._driver.stat(paths.blob_data(digest)).size > 0
        return False
