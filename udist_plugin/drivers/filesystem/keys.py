"""``storage.filesystem``: distribution's parameters."""

from __future__ import annotations

from udist_plugin.keys import NO_EFFECT, Key
from udist_plugin.kinds import Integer, Path
from udist_plugin.typed import Final

_FOLDER = Path("the path of a folder")

KEYS: Final = (
    Key("rootdirectory", _FOLDER, None, "the folder; by default, one in the user's data directory"),
    Key(
        "maxthreads",
        Integer(0, 1 << 16),
        100,
        "a limit of threads; here streams are limited instead",
        NO_EFFECT,
    ),
)
