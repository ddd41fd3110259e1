"""``udist.s3``: what distribution's ``s3`` section has no key for."""

from __future__ import annotations

from typing import Final

from udist_plugin.keys import Key
from udist_plugin.kinds import Text

KEYS: Final = (
    Key("profile", Text(), None, "the profile in the shared credentials files"),
    Key("cafile", Text(), None, "a file of CA certificates (PEM) to verify the endpoint with"),
)
