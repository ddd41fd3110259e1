"""``middleware.registry`` and ``middleware.repository``: what other packages put around the registry."""

from __future__ import annotations

from typing import Final

from udist_plugin.config.part import Part
from udist_plugin.keys import REQUIRED, Key
from udist_plugin.kinds import Anything, Boolean, Text

ENTRY_POINTS: Final = "udist_plugin.registry_middleware"


class _Announced(Text):
    """The name of an entry point."""

    def __init__(self) -> None:
        super().__init__(f"a name in the group of entry points {ENTRY_POINTS}")

    def parse(self, text: str) -> str:
        from importlib.metadata import entry_points

        names = sorted(entry_points(group=ENTRY_POINTS).names)
        if text not in names:
            there = f"there are {', '.join(names)}" if names else "no package that is installed announces one"
            raise ValueError(there)
        return text


KEYS: Final = (
    Key("name", _Announced(), REQUIRED, "the entry point of the middleware"),
    Key("disabled", Boolean(), False, "ignore this entry"),
    Key("options", Anything(), None, "what the middleware is given"),
)


class Middleware(Part):
    """An entry that is not disabled; ``options`` are the nodes that stand in the file, or ``None``."""

    name: str
    options: object


MODELS: Final = {"": Middleware}
