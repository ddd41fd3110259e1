"""``storage.filesystem``: distribution's parameters."""

from __future__ import annotations

from typing import Final

from udist_plugin.keys import NO_EFFECT, Key
from udist_plugin.kinds import Integer, Text

_FOLDER = Text("the path of a folder", r"[^\0]+")

KEYS: Final = (
    Key("rootdirectory", _FOLDER, None, "the folder; by default in the user's data folder"),
    Key("maxthreads", Integer(0, 1 << 16), 100, "a limit that streams set here", NO_EFFECT),
)
