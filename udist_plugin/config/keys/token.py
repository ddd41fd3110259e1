"""``auth.token``: tokens that another server issues."""

from __future__ import annotations

from typing import Final

from udist_plugin.config.keys.htpasswd import FILE, REALM
from udist_plugin.config.part import Part
from udist_plugin.keys import REQUIRED, Key
from udist_plugin.kinds import Boolean, Choice, Text

SYMMETRIC: Final = ("HS256", "HS384", "HS512")
"""Algorithms that distribution names, though it has no key for them: no token is ever accepted by one."""

ASYMMETRIC: Final = (
    *("EdDSA", "RS256", "RS384", "RS512", "ES256", "ES384", "ES512"),
    *("PS256", "PS384", "PS512"),
)

KEYS: Final = (
    Key("realm", REALM, REQUIRED, "the URL where tokens are issued"),
    Key("service", REALM, REQUIRED, "the service that tokens are for, their audience"),
    Key("issuer", Text(), REQUIRED, "the issuer of tokens"),
    Key("rootcertbundle", FILE, "", "the file of certificates that vouch for the keys of tokens"),
    Key("jwks", FILE, "", "the file of the keys that sign tokens (RFC 7517)"),
    Key("autoredirect", Boolean(), False, "use the registry's own address as the realm"),
    Key("autoredirectpath", REALM, "/auth/token", "the realm's path there"),
    Key("signingalgorithms[]", Choice(*ASYMMETRIC, *SYMMETRIC), None, "the algorithms that may sign tokens"),
)


class Token(Part):
    realm: str
    service: str
    issuer: str
    rootcertbundle: str
    jwks: str
    autoredirect: bool
    autoredirectpath: str
    signingalgorithms: tuple[str, ...]


MODELS: Final = {"": Token}
