"""A look at all that is to be pushed, before anything is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from udist_plugin.errors import SourceInvalid
from udist_plugin.images.selection import entries

if TYPE_CHECKING:
    from collections.abc import Iterable

    from udist_plugin.images.selection import Selection


def check_sources(sources: Iterable[tuple[str, Selection]]) -> None:
    """Raises ``SourceInvalid`` with everything that cannot be pushed of files and folders, each given by its
    path and what of it is selected."""
    refused: list[SourceInvalid] = []
    for path, selection in sources:
        for _ in entries(path, selection, refused.append):
            pass
    if refused:
        raise SourceInvalid.of(refused)
