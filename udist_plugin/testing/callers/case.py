"""Cases: functions that play the plugin, by the names that they are chosen by."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from udist_plugin.testing.callers.run import Run


class Case(NamedTuple):
    """``play`` raises ``Unexpected`` if the client does something else than what ``about`` says. A ``core``
    case needs a driver to know ``start``, ``exchange`` and ``close`` only."""

    name: str
    about: str
    core: bool
    play: Callable[[Run], None]


class Theme:
    """The cases of a file, named ``theme/case``."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.cases: list[Case] = []

    def core(self, play: Callable[[Run], None]) -> Callable[[Run], None]:
        """A decorator: a core case, named after the function and described by its docstring."""
        self._add(play, core=True)
        return play

    def case(self, play: Callable[[Run], None]) -> Callable[[Run], None]:
        """A decorator: as ``core``, for a case that needs all commands."""
        self._add(play, core=False)
        return play

    def add(self, name: str, about: str, play: Callable[[Run], None], *, core: bool = False) -> None:
        """One of many cases that are made from data."""
        self.cases.append(Case(f"{self.name}/{name}", about, core, play))

    def _add(self, play: Callable[[Run], None], *, core: bool) -> None:
        about = " ".join((play.__doc__ or "").split())
        self.add(play.__name__.replace("_", "-"), about, play, core=core)
