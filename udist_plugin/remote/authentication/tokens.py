"""Tokens: got from a token server, and kept as long as they are good."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlencode, urlsplit

from udist_plugin.errors import TransportError, Unauthorized
from udist_plugin.remote.answers import error_of
from udist_plugin.remote.authentication.scopes import written
from udist_plugin.remote.network.origin import Origin
from udist_plugin.remote.pages import read_all

if TYPE_CHECKING:
    from collections.abc import Callable

    from udist_plugin.remote.authentication.scopes import Scopes
    from udist_plugin.remote.credentials.credential import Credential
    from udist_plugin.remote.transport import Field, Response, Transport

ANSWER_MAX: Final = 1 << 20
LIFETIME: Final = 60.0
"""Seconds that a token is good for where nothing is said."""

MARGIN: Final = 0.8
"""The part of its lifetime in which a token is used: the request has to arrive, too."""

CLIENT: Final = "udist"


class Token(NamedTuple):
    """A token, and until when on the monotonic clock it is used."""

    value: str
    until: float


class TokenServer:
    """The token server at ``realm``, for ``service``, asked with ``credential`` by way of what ``connect``
    gives for it.

    Raises ``Unauthorized`` for a realm that a password must not be sent to: over plain HTTP to another
    machine.
    """

    def __init__(
        self,
        realm: str,
        service: str,
        credential: Credential | None,
        registry: Origin,
        connect: Callable[[Origin], Transport],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        origin = Origin.of(realm)
        parts = urlsplit(realm)
        if credential and origin.scheme == "http" and not origin.is_loopback and origin != registry:
            raise Unauthorized(f"{registry} wants a password to be sent to {origin}, which is not encrypted")
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._realm = origin
        self._service = service
        self._credential = credential
        self._transport = connect(origin)
        self._clock = clock

    def ask(self, scopes: Scopes) -> Token:
        """A new token. Raises ``Unauthorized`` and ``TransportError``."""
        credential = self._credential
        if credential and credential.identity_token:
            response = self._post(scopes, credential)
            if response.status not in (404, 405):
                return self._read(response)
            response.close()  # it knows GET alone
        return self._read(self._get(scopes, credential))

    def _get(self, scopes: Scopes, credential: Credential | None) -> Response:
        query = [("scope", scope) for scope in written(scopes)]
        headers: list[Field] = []
        if self._service:
            query.insert(0, ("service", self._service))
        if credential and credential.basic:
            query.append(("account", credential.username))
            headers.append(("authorization", credential.basic))
        mark = "&" if "?" in self._target else "?"
        return self._transport.request("GET", f"{self._target}{mark}{urlencode(query)}", headers=headers)

    def _post(self, scopes: Scopes, credential: Credential) -> Response:
        form = {
            "grant_type": "refresh_token",
            "refresh_token": credential.identity_token,
            "service": self._service,
            "client_id": CLIENT,
            "scope": " ".join(written(scopes)),
        }
        headers = [("content-type", "application/x-www-form-urlencoded")]
        return self._transport.request("POST", self._target, headers=headers, body=urlencode(form).encode())

    def _read(self, response: Response) -> Token:
        if response.status != 200:
            error = error_of(response, Unauthorized)
            login = f"the login from {self._credential.source}" if self._credential else "no login"
            raise Unauthorized(f"{self._realm} gave no token, with {login}: {error}")
        with response:
            content = read_all(response, ANSWER_MAX)
        try:
            answer: Any = json.loads(content)
            value = answer.get("token") or answer["access_token"]
            lifetime = answer.get("expires_in") or LIFETIME
            if not isinstance(value, str) or not isinstance(lifetime, int | float):
                raise TypeError
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise TransportError(f"{self._realm}: its answer holds no token") from None
        return Token(value, self._clock() + lifetime * MARGIN)
