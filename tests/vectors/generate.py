"""Writes the vectors: ``python -m tests.vectors.generate``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.vectors.calls import calls, messages
from tests.vectors.cells import cells
from tests.vectors.exchanges import exchanges
from tests.vectors.faults import faults
from tests.vectors.files import files
from tests.vectors.single import frames, invalid
from tests.vectors.states import states
from tests.vectors.traces import traces
from tests.vectors.whole import push_and_pull

if TYPE_CHECKING:
    from tests.vectors.notation import Json

FOLDER = Path(__file__).parent


def generate() -> dict[str, list[Json]]:
    """What the files must hold, by file name."""
    conversations = [*exchanges(), push_and_pull(), *files(), *faults()]
    return {
        "frames.json": list(frames()),
        "invalid.json": list(invalid()),
        "conversations.json": [each.as_json() for each in conversations],
        "states.json": list(states()),
        "cells.json": list(cells()),
        "traces.json": list(traces()),
        "messages.json": list(messages()),
        "calls.json": list(calls()),
    }


def load(name: str) -> list[Json]:
    """What a file holds."""
    vectors: list[Json] = json.loads((FOLDER / name).read_text())
    return vectors


def text(vectors: list[Json]) -> str:
    """The file: a line for each vector, and for each step of a conversation or row of a table."""
    return "[\n" + ",\n".join(map(_line, vectors)) + "\n]\n"


def _line(vector: Json) -> str:
    parts = [f"{json.dumps(key)}: {_value(key, value)}" for key, value in vector.items()]
    return "{" + ", ".join(parts) + "}"


def _value(key: str, value: Any) -> str:
    if key not in ("steps", "next", "rows") or not value:
        return json.dumps(value, ensure_ascii=False)
    return "[\n  " + ",\n  ".join(json.dumps(item, ensure_ascii=False) for item in value) + "\n]"


if __name__ == "__main__":
    for name, vectors in generate().items():
        (FOLDER / name).write_text(text(vectors))
