"""``auth.silly``: any Authorization field will do. For tests."""

from __future__ import annotations

from typing import Final

from udist_plugin.config.keys.htpasswd import REALM
from udist_plugin.config.part import Part
from udist_plugin.keys import REQUIRED, Key

KEYS: Final = (
    Key("realm", REALM, REQUIRED, "for tests: the realm of the challenge"),
    Key("service", REALM, REQUIRED, "for tests: the service of the challenge"),
)


class Silly(Part):
    realm: str
    service: str


MODELS: Final = {"": Silly}
