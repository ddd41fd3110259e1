"""distribution's ``token``: the access that a token server has granted."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict

from udist_plugin.errors import ConfigurationError
from udist_plugin.http_api.middleware.access.controller import Challenge, parameters
from udist_plugin.http_api.middleware.access.needs import scope
from udist_plugin.http_api.middleware.access.tokens import Claims, Invalid, Verifier, read_jwks
from udist_plugin.http_api.middleware.access.vouching import Roots
from udist_plugin.typed import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from udist_plugin.http_api.middleware.access.needs import Need

KEPT: Final = 1024
"""Tokens that are not verified a second time."""


class Realm(NamedTuple):
    """Where tokens are issued: at ``url``, or if ``path`` is given there at the registry's own address."""

    url: str
    service: str
    path: str = ""

    def seen_by(self, environ: dict[str, Any]) -> str:
        if not self.path:
            return self.url
        from urllib.parse import quote, urlunsplit

        scheme = quote(environ.get("HTTP_X_FORWARDED_PROTO") or "https")
        host = quote(environ.get("HTTP_HOST", ""), safe=":[]")
        return urlunsplit((scheme, host, quote(self.path), "", ""))


class Bearer:
    """Those whose token ``verifier`` believes may do what it says."""

    def __init__(self, realm: Realm, verifier: Verifier) -> None:
        self._realm = realm
        self._verifier = verifier
        self._lock = threading.Lock()
        self._verified: OrderedDict[bytes, Claims] = OrderedDict()

    def authorize(self, environ: dict[str, Any], wanted: list[Need]) -> str:
        scheme, _, token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        if not token or scheme.lower() != "bearer":
            raise self.challenge(environ, wanted)
        try:
            claims = self._claims(token)
        except Invalid as invalid:
            raise self.challenge(environ, wanted, invalid.reason) from None
        if not all(map(claims.allows, wanted)):
            raise self.challenge(environ, wanted, "insufficient_scope")
        return claims.user

    def challenge(self, environ: dict[str, Any], wanted: list[Need], error: str = "") -> Challenge:
        values = {"realm": self._realm.seen_by(environ), "service": self._realm.service}
        if wanted:
            values["scope"] = scope(wanted)
        if error:
            values["error"] = error
        return Challenge(parameters("Bearer", **values))

    def _claims(self, token: str) -> Claims:
        """Those of a token that counts now. Raises ``Invalid``."""
        from hashlib import sha256

        mark = sha256(token.encode("latin-1", "replace")).digest()
        with self._lock:
            claims = self._verified.get(mark)
        if claims is None:
            claims = self._verifier.claims(token)
            with self._lock:
                self._verified[mark] = claims
                if len(self._verified) > KEPT:
                    self._verified.popitem(last=False)
        elif not claims.counts_at(time.time()):
            raise Invalid
        return claims


def open_bearer(
    realm: Realm, issuer: str, algorithms: Sequence[str], rootcertbundle: str, jwks: str
) -> Bearer:
    """With the keys of two files, either of which may be ``""``. Raises ``ConfigurationError``."""
    if not rootcertbundle and not jwks:
        raise ConfigurationError(
            "expected rootcertbundle or jwks, the file of the keys that sign tokens", key="auth.token"
        )
    roots = None
    keys: dict[str, Any] = {}
    if rootcertbundle:
        bundle = _content(rootcertbundle, "rootcertbundle")
        try:
            roots = Roots(bundle)
        except ValueError as error:
            raise _wrong("rootcertbundle", f"certificates in PEM in {rootcertbundle}", error) from error
        keys |= roots.keys
    if jwks:
        document = _content(jwks, "jwks")
        try:
            keys |= read_jwks(document)
        except ValueError as error:
            raise _wrong("jwks", f"a set of public keys (RFC 7517) in {jwks}", error) from error
    return Bearer(realm, Verifier(issuer, realm.service, algorithms, keys, roots))


def _content(path: str, name: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise ConfigurationError(f"cannot read {path}: {error.strerror}", key=f"auth.token.{name}") from error


def _wrong(name: str, expected: str, error: Exception) -> ConfigurationError:
    return ConfigurationError(f"expected {expected}: {error}", key=f"auth.token.{name}")
