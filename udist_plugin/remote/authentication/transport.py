"""Requests with what their registry wants to be told, once it has asked for it."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from udist_plugin.errors import TransportError
from udist_plugin.remote.authentication.challenges import Challenge, parse_challenges
from udist_plugin.remote.authentication.scopes import parse_scopes, scopes_of
from udist_plugin.remote.authentication.tokens import Token, TokenServer
from udist_plugin.remote.repeating import Bookmark
from udist_plugin.remote.transport import can_cancel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from udist_plugin.remote.authentication.scopes import Scopes
    from udist_plugin.remote.credentials.credential import Credential
    from udist_plugin.remote.network.origin import Origin
    from udist_plugin.remote.transport import Body, Field, Response, Transport

ATTEMPTS = 3
"""A request, again with a token, and again with one for what the registry says is missing."""


class AuthenticatedTransport:
    """``inner``, which leads to the registry at ``origin``. Nothing is sent unasked: ``find`` looks for a
    login when it is first needed. ``connect`` gives transports to token servers. Safe for any number of
    threads."""

    def __init__(
        self,
        inner: Transport,
        origin: Origin,
        find: Callable[[], Credential | None],
        connect: Callable[[Origin], Transport],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._inner = inner
        self._origin = origin
        self._find = find
        self._connect = connect
        self._clock = clock
        self._lock = threading.RLock()
        self._looked = False
        self._credential: Credential | None = None
        self._basic: str | None = None
        self._server: TokenServer | None = None
        self._tokens: dict[Scopes, Token] = {}
        self._registry_token_refused = False

    def request(
        self,
        method: str,
        target: str,
        /,
        *,
        headers: Sequence[Field] = (),
        body: Body | None = None,
        timeout: float | None = None,
    ) -> Response:
        """As ``Transport.request``: a 401 is the last word. Raises ``Unauthorized``, too."""
        bookmark, wanted = Bookmark(body), scopes_of(method, target)
        told: set[str] = set()
        for attempt in range(ATTEMPTS):
            authorization = self._authorization(wanted)
            field = [("authorization", authorization)] if authorization else []
            response = self._inner.request(
                method, target, headers=[*headers, *field], body=body, timeout=timeout
            )
            if response.status != 401 or attempt == ATTEMPTS - 1:
                return response
            told.add(authorization or "")
            try:
                wanted = self._learn(response, wanted, authorization)
                again = self._authorization(wanted)
            except BaseException:
                response.close()
                raise
            if again is None or again in told:
                return response
            response.close()
            if not bookmark.go_back():
                raise TransportError(
                    "the registry wants a new token; the content has to be sent again", retryable=True
                )
        raise AssertionError("the last attempt returns")

    def _authorization(self, wanted: Scopes) -> str | None:
        """What is known to be wanted for ``wanted``; a token is got where there is none."""
        with self._lock:
            if self._server is None:
                return self._basic
            login = self._login()
            if login and login.registry_token and not self._registry_token_refused:
                return f"Bearer {login.registry_token}"
            now = self._clock()
            for scopes, token in self._tokens.items():
                if scopes >= wanted and token.until > now:
                    return f"Bearer {token.value}"
            token = self._tokens[wanted] = self._server.ask(wanted)
            return f"Bearer {token.value}"

    def _learn(self, response: Response, wanted: Scopes, authorization: str | None) -> Scopes:
        """Takes up a challenge; the scopes to ask for from now on."""
        challenges = parse_challenges(value for key, value in response.headers if key == "www-authenticate")
        with self._lock:
            self._forget(authorization)
            for challenge in challenges:
                if challenge.scheme == "bearer" and challenge.parameters.get("realm"):
                    self._take_server(challenge)
                    return wanted | parse_scopes(challenge.parameters.get("scope", ""))
                if challenge.scheme == "basic":
                    login = self._login()
                    self._server, self._basic = None, login.basic if login else None
                    return wanted
        return wanted

    def _forget(self, authorization: str | None) -> None:
        """What was refused is not used again."""
        if authorization is None or not authorization.startswith("Bearer "):
            return
        value = authorization.removeprefix("Bearer ")
        login = self._login()
        if login and login.registry_token == value:
            self._registry_token_refused = True
        self._tokens = {scopes: token for scopes, token in self._tokens.items() if token.value != value}

    def _take_server(self, challenge: Challenge) -> None:
        realm, service = challenge.parameters["realm"], challenge.parameters.get("service", "")
        if self._server is None:
            self._server = TokenServer(
                realm, service, self._login(), self._origin, self._connect, self._clock
            )

    def _login(self) -> Credential | None:
        if not self._looked:
            self._looked, self._credential = True, self._find()
        return self._credential

    def cancel(self) -> None:
        if can_cancel(self._inner):
            self._inner.cancel()

    def close(self) -> None:
        self._inner.close()
