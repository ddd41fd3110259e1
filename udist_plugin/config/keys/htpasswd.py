"""``auth.htpasswd``: users and passwords in a file."""

from __future__ import annotations

from typing import Final

from udist_plugin.config.part import Part
from udist_plugin.keys import REQUIRED, Key
from udist_plugin.kinds import Text

REALM: Final = Text("printable ASCII characters", r"[\x20-\x7e]*")
FILE: Final = Text("the path of a file", r"[^\0]+")

KEYS: Final = (
    Key("realm", REALM, REQUIRED, "the realm of the challenge"),
    Key("path", FILE, REQUIRED, "the file of users and bcrypt hashes; made if there is none"),
)


class Htpasswd(Part):
    realm: str
    path: str


MODELS: Final = {"": Htpasswd}
