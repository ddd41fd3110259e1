"""All cases, by themes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from udist_plugin.testing.callers.cases import closing, death, exchanges, handshake

if TYPE_CHECKING:
    from udist_plugin.testing.callers.case import Case

THEMES = (handshake, exchanges, death, closing)


def all_cases() -> list[Case]:
    """Every case, in the order in which they are played."""
    return [case for module in THEMES for case in module.theme.cases]
