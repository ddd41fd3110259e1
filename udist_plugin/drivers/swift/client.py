"""The one door to Swift: tokens, bounds in time, repetitions, answers as errors of ours.

Requests go over keystoneauth's session, which asks for a token and renews one that is refused. The library of
Swift itself, swiftclient, keeps an answer on its connection, so threads cannot share one.
"""

from __future__ import annotations

import time
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlsplit

from udist_plugin.drivers.objects.pauses import PATIENCE, Pauses, until
from udist_plugin.drivers.objects.store import MARK, UNDELETED, StoredObject, confirm
from udist_plugin.drivers.swift.answers import (
    CHANGED,
    FOREIGN,
    NAME,
    NO_SERVICE,
    Refused,
    errors,
    etag,
    failure,
)
from udist_plugin.drivers.swift.identity import identity
from udist_plugin.drivers.swift.library import Connections, HTTPAdapter, Session
from udist_plugin.errors import PathBusy, PathNotFound, StorageError, StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from requests import Response

    from udist_plugin.drivers.swift.settings import Settings

TIMEOUT: Final = (10.0, 60.0)
"""Seconds to connect, and to wait for the next bytes."""
TOKEN_TIMEOUT: Final = 20.0
"""Seconds to connect to who issues tokens, and to wait for the next bytes."""
CONNECTIONS: Final = 64
"""Connections kept open for reuse."""
BARE: Final = {"log": False, "raise_exc": False, "redirect": False}
"""Has the session hand on whatever is answered."""
NEWEST: Final = {"X-Newest": "true"}
"""Has the service ask every replica: one that was away for a while may hold what has been replaced."""
MARK_FIELD: Final = f"X-Object-Meta-{MARK}"
DEFAULTS: Final[Mapping[str, Any]] = {"slo": {"max_manifest_segments": 1000}}
"""Of a service that does not say what it is made of."""


class SwiftClient:
    """One container."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        connections = Connections()
        for scheme in ("http://", "https://"):
            connections.mount(scheme, HTTPAdapter(pool_maxsize=CONNECTIONS))
        self._session = Session(
            auth=identity(settings), session=connections, verify=settings.verify, timeout=TOKEN_TIMEOUT
        )

    @cached_property
    def account_url(self) -> str:
        """Raises ``ClientException``, and ``StorageError`` where the catalog has none."""
        found: str | None = self._session.get_endpoint(
            service_type="object-store",
            interface=self.settings.interface,
            region_name=self.settings.region,
        )
        if found is None:
            raise StorageError(NO_SERVICE, driver=NAME)
        return found.rstrip("/")

    def url(self, key: str = "") -> str:
        """That of an object, or of the container."""
        path = f"{self.settings.container}/{key}" if key else self.settings.container
        return f"{self.account_url}/{quote(path)}"

    @cached_property
    def info(self) -> Mapping[str, Any]:
        """What the service says of its limits and of its middleware, or ``DEFAULTS`` where it does not."""
        with errors("info"):
            parts = urlsplit(self.account_url)
        url = f"{parts.scheme}://{parts.netloc}{parts.path.partition('/v1')[0]}/info"
        response, _ = self.attempt("GET", "", accept={200, 401, 403, 404}, url=url, authenticated=False)
        with errors("info"):
            return {**DEFAULTS, **(response.json() if response.status_code == 200 else {})}

    def attempt(
        self,
        method: str,
        key: str,
        *,
        accept: Collection[int],
        unmet: type[StorageError] = PathBusy,
        patience: float = PATIENCE,
        **options: Any,
    ) -> tuple[Response, bool]:
        """One of the answers in ``accept``, asked for again while that fails in passing, and whether it was.

        Without a key it is asked of the container. ``unmet`` is what a precondition's failure is,
        ``patience`` in seconds; ``options`` are those of requests.
        """
        pauses, repeated = Pauses(patience), False
        while True:
            try:
                return self._send(method, key, accept, unmet, options), repeated
            except StorageUnavailable:
                if (pause := pauses.next()) is None:
                    raise
            time.sleep(pause)
            repeated = True

    def _send(
        self,
        method: str,
        key: str,
        accept: Collection[int],
        unmet: type[StorageError],
        options: dict[str, Any],
    ) -> Response:
        options = {"timeout": TIMEOUT, **BARE, **options}
        with errors(key or self.settings.container):
            url = options.pop("url", "") or self.url(key)
            response: Response = self._session.request(url, method, **options)
        if response.status_code in accept:
            return response
        with response:
            refused = Refused(response)
        raise failure(self.settings.container, method, key, refused, unmet) from refused

    def properties(self, url: str) -> Mapping[str, str]:
        """The fields of the container or the account."""
        return self.attempt("HEAD", "", accept={200, 204}, url=url)[0].headers

    def set_property(self, url: str, field: str, value: str) -> None:
        """Sets one of those."""
        self.attempt("POST", "", accept={202, 204}, url=url, headers={field: value})

    def look(self, key: str) -> Mapping[str, str]:
        """The fields of an object. Raises ``PathNotFound``."""
        response, _ = self.attempt("HEAD", key, accept={200}, headers=NEWEST)
        return response.headers

    def head(self, key: str) -> StoredObject:
        """Raises ``PathNotFound``."""
        fields = self.look(key)
        with errors(key):
            size, modified = int(fields["Content-Length"]), float(fields["X-Timestamp"])
            return StoredObject(key, size, modified, etag(fields), fields.get(MARK_FIELD, ""))

    def open(self, key: str, start: int, end: int | None, version: str = "") -> Response | None:
        """A response whose content is that range of the object, or none when there is no such range.

        With a ``version`` it is that one's. Raises ``PathNotFound``, also where it has another.
        """
        headers = {**NEWEST, "Accept-Encoding": "identity"}
        if start or end is not None:
            headers["Range"] = f"bytes={start}-{'' if end is None else end - 1}"
        response, _ = self.attempt("GET", key, accept={200, 206, 416}, stream=True, headers=headers)
        kind, problem = StorageError, ""
        ranged, size = "Range" in headers, response.headers.get("Content-Length")
        if response.status_code == 416 or (ranged and size == "0"):
            response.close()
            return None
        if not {"Content-Length", "Etag"} <= response.headers.keys():
            problem = FOREIGN
        elif ranged and response.status_code != 206:
            problem = "the range was ignored: check any proxy on the way"
        elif version and etag(response.headers) != version:
            kind, problem = PathNotFound, CHANGED
        if problem:
            response.close()
            raise kind(problem, driver=NAME, path=key)
        return response

    def make(self, key: str, **options: Any) -> str:
        """Makes an object, and looks for it where the request was repeated; its version."""
        response, repeated = self.attempt("PUT", key, accept={201}, **options)
        version = etag(response.headers)
        if repeated:
            confirm(self.head, key, version, NAME)
        return version

    def delete(self, key: str) -> None:
        """Again where the request was repeated: to delete twice is to delete once."""

        def done() -> bool:
            return not self.attempt("DELETE", key, accept={200, 204, 404})[1]

        if not until(done, PATIENCE):
            raise StorageUnavailable(UNDELETED, driver=NAME, path=key)
