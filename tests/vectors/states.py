"""The state tables of PROTOCOL.md as data: what each frame leads to in each state."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from tests.vectors.protocol_text import table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.vectors.notation import Json

TABLES: Final = (
    (["plugin"], "from the caller"),
    (["caller"], "from the plugin"),
    (["caller", "plugin"], "frame", "before the peer's settings"),
)
"""The sides that a table is about, and how its header begins."""

ELSEWHERE: Final = "the tables of section 3"


def states() -> Iterator[Json]:
    """The tables, in the text's order."""
    for sides, name, *more in TABLES:
        rows = table(name, *more)
        names = [row.pop(name) for row in rows]
        cells = [{"row": row, "cells": _cells(given)} for row, given in zip(names, rows, strict=True)]
        yield {"name": name, "sides": sides, "states": list(rows[0]), "rows": cells}


def outcome(cell: str) -> Json:
    """What a cell of the text stands for, in the words of the vectors."""
    cell, closed, _ = cell.partition(", closed")
    more: Json = {"closed": True} if closed else {}
    if name := re.fullmatch(r"\*\*([\w-]+)\*\*", cell):
        return {"event": {"connection_error": name[1]}}
    word, _, code = cell.partition(" ")
    if word == "reset":
        return {"event": word, "code": code}
    if code:
        return {"event": {{"error": "stream_error", "refused": "refused"}[word]: code}}
    return {"event": word} | more


def _cells(row: dict[str, str]) -> dict[str, Json]:
    return {state: outcome(cell) for state, cell in row.items() if cell != ELSEWHERE}
