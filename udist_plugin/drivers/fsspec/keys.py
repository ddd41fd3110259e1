"""``storage.fsspec``: udist's own section; distribution has no such driver."""

from __future__ import annotations

from typing import Final

from udist_plugin.keys import REQUIRED, Key
from udist_plugin.kinds import Choice, Integer, Secret, Text

CONNECTIONS: Final = 8

_URL = Text("a URL such as sftp://user@host/folder", r"[a-z0-9][a-z0-9+.-]*://[^?#]*")

KEYS: Final = (
    Key("url", _URL, REQUIRED, "the folder of the registry, as fsspec names it"),
    Key("options.*", Secret(), None, "arguments of fsspec's file system, by name"),
    Key("publish", Choice("rename", "whole"), None, "how a file appears: by a rename, or whole when closed"),
    Key("connections", Integer(1, 64), CONNECTIONS, "the most connections"),
    Key("knownhosts", Text(), None, "the host keys for SFTP; by default, ~/.ssh/known_hosts"),
)
