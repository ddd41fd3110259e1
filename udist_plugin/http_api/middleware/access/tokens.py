"""Bearer tokens (RFC 7519), as distribution's token servers issue them."""

from __future__ import annotations

import jwt

from udist_plugin.typed import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from udist_plugin.http_api.middleware.access.needs import Need
    from udist_plugin.http_api.middleware.access.vouching import Roots

LONGEST: Final = 32 << 10
"""Characters of a token."""

LEEWAY: Final = 60
"""Seconds by which clocks may differ."""

OPTIONS: Final = {"require": ["exp", "aud", "iss"], "verify_iat": False, "verify_jti": False}
PUBLIC: Final = ("EC", "OKP", "RSA")
"""Types of keys that have a public half; of other types a set may have some as well."""

MALFORMED: Final = (
    *(jwt.DecodeError, jwt.InvalidKeyError, RecursionError),
    *(AttributeError, OverflowError, TypeError, ValueError),  # of members that are not what they should be
)


class Invalid(Exception):
    """A token is not to be believed. ``reason`` is what a challenge says of it (RFC 6750, section 3.1), and
    as in distribution nothing of a signature that is wrong."""

    def __init__(self, reason: str = "invalid_token") -> None:
        self.reason = reason
        super().__init__(reason)


class Claims(NamedTuple):
    """The user that a token is for, its access by type and name of a resource, and the times in seconds
    between which it counts."""

    user: str
    access: Mapping[tuple[object, object], frozenset[str]]
    begins: float
    ends: float

    def allows(self, need: Need) -> bool:
        actions = self.access.get((need.kind, need.name), frozenset())
        return need.action in actions or "*" in actions

    def counts_at(self, now: float) -> bool:
        return self.begins - LEEWAY <= now <= self.ends + LEEWAY


class Verifier:
    """Believes tokens of ``issuer`` for ``service`` that are signed, by one of ``algorithms``, with a key of
    ``keys``, or with one that ``roots`` vouch for."""

    def __init__(
        self,
        issuer: str,
        service: str,
        algorithms: Sequence[str],
        keys: Mapping[str, Any],
        roots: Roots | None,
    ) -> None:
        self._issuer = issuer
        self._service = service
        self._algorithms = frozenset(algorithms)
        self._keys = keys
        self._roots = roots

    def claims(self, token: str) -> Claims:
        """What a token says. Raises ``Invalid``."""
        algorithm, key = self._signer(token)
        try:
            found = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=self._service,
                issuer=self._issuer,
                leeway=LEEWAY,
                options=OPTIONS,  # type: ignore[arg-type]
            )
            return _claims(found)
        except MALFORMED as error:
            raise Invalid("") from error
        except jwt.InvalidTokenError as error:
            raise Invalid from error

    def _signer(self, token: str) -> tuple[str, Any]:
        """The algorithm and the key of a token, found by its own head alone: it decides nothing else."""
        if len(token) > LONGEST:
            raise Invalid
        try:
            head = jwt.get_unverified_header(token)
        except (jwt.InvalidTokenError, ValueError, RecursionError) as error:
            raise Invalid from error
        algorithm = head.get("alg")
        if not isinstance(algorithm, str) or algorithm not in self._algorithms:
            raise Invalid
        key = self._key(head)
        if key is None:
            raise Invalid
        return algorithm, key

    def _key(self, head: Mapping[str, Any]) -> Any:
        embedded = head.get("jwk")
        if "x5c" in head:
            return self._vouched_for(head["x5c"])
        if not isinstance(embedded, dict):
            return self._named(head.get("kid") or None)
        return self._vouched_for(embedded["x5c"]) if embedded.get("x5c") else self._named(embedded.get("kid"))

    def _vouched_for(self, chain: object) -> Any:
        return self._roots.key_of(chain) if self._roots else None

    def _named(self, name: object) -> Any:
        return self._keys.get(name) if isinstance(name, str) else None


def _claims(found: Mapping[str, Any]) -> Claims:
    access: dict[tuple[object, object], frozenset[str]] = {}
    for each in found.get("access") or ():
        resource = each.get("type"), each.get("name")
        access[resource] = access.get(resource, frozenset()) | frozenset(each.get("actions") or ())
    return Claims(str(found.get("sub") or ""), access, float(found.get("nbf", 0)), float(found["exp"]))


def read_jwks(document: bytes) -> dict[str, Any]:
    """The public keys of a JWK set by their ids. Raises ``ValueError`` if it is none, or has none."""
    import json

    try:
        entries = json.loads(document)["keys"]
        keys = {entry.get("kid", ""): _public(entry) for entry in entries if entry.get("kty") in PUBLIC}
    except (AttributeError, KeyError, TypeError, jwt.PyJWTError) as error:
        raise ValueError(str(error)) from error
    if not keys:
        raise ValueError("no public key in it")
    return keys


def _public(entry: dict[str, Any]) -> Any:
    """The key without the private part, if one was given."""
    key = jwt.PyJWK(entry).key
    return key.public_key() if hasattr(key, "public_key") else key
