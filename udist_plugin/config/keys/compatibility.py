"""``compatibility``: Docker's schema 1, of which what is stored is served and nothing new is accepted."""

from __future__ import annotations

from typing import Final

from udist_plugin.keys import NO_EFFECT, Key
from udist_plugin.kinds import Boolean, Text

KEYS: Final = (
    Key("schema1.enabled", Boolean(), False, "accept manifests of Docker's schema 1", NO_EFFECT),
    Key("schema1.signingkeyfile", Text(), "", "the key that signs manifests of schema 1", NO_EFFECT),
)
