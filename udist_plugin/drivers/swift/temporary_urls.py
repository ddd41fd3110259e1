"""URLs that serve an object for a while to whoever has them: https://docs.openstack.org/swift, TempURL."""

from __future__ import annotations

import time
from threading import Lock
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlsplit

from udist_plugin.drivers.swift.library import generate_temp_url
from udist_plugin.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from udist_plugin.drivers.swift.client import SwiftClient

LIFETIME: Final = 20 * 60
"""Seconds, as in distribution."""


class TemporaryUrls:
    """Signed by ``secretkey``, which the container is given as by distribution, or by the key that it has."""

    def __init__(self, client: SwiftClient) -> None:
        self._client = client
        self._key = ""
        self._digest = ""
        self._renewal = 0.0
        self._lock = Lock()

    def sign(self, key: str) -> str | None:
        """A URL that reads an object, or ``None`` where there is no key or the service takes none."""
        with self._lock:
            if time.monotonic() >= self._renewal:
                self._renew()
        if not self._key:
            return None
        parts = urlsplit(self._client.url(key))
        path = f"{urlsplit(self._client.account_url).path}/{self._client.settings.container}/{key}"
        _, _, query = generate_temp_url(path, LIFETIME, self._key, "GET", digest=self._digest).partition("?")
        if access := self._client.settings.access_key:
            owner = quote(f"{self._client.settings.tenant_id or ''}:{access}:", safe="")
            query = query.replace("temp_url_sig=", f"temp_url_sig={owner}", 1)
        return f"{parts.scheme}://{parts.netloc}{parts.path}?{query}"

    def _renew(self) -> None:
        """Looks up the key; where that fails, again a while later."""
        self._renewal = time.monotonic() + LIFETIME
        try:
            self._key = self._find_key()
        except StorageError:
            self._key = ""

    def _find_key(self) -> str:
        settings, info = self._client.settings, self._client.info
        offered: Mapping[str, Any] = info.get("tempurl", {})
        methods = offered.get("methods", ()) if "swift" in info else settings.methods
        if "GET" not in methods:
            return ""
        self._digest = "sha1" if "sha256" not in offered.get("allowed_digests", ("sha1",)) else "sha256"
        on_container = "swift" in info or settings.container_key
        kind = "Container" if on_container else "Account"
        field = f"X-{kind}-Meta-Temp-Url-Key"
        url = self._client.url() if on_container else self._client.account_url
        found = self._client.properties(url).get(field, "")
        if settings.secret_key and settings.secret_key != found:
            self._client.set_property(url, field, settings.secret_key)
        return settings.secret_key or found
