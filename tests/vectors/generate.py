"""Writes the vectors: ``python -m tests.vectors.generate``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from tests.vectors.exchanges import exchanges
from tests.vectors.faults import faults
from tests.vectors.single import frames, invalid

if TYPE_CHECKING:
    from tests.vectors.notation import Json

FOLDER = Path(__file__).parent


def generate() -> dict[str, list[Json]]:
    """What the files must hold, by file name."""
    conversations = [conversation.as_json() for conversation in (*exchanges(), *faults())]
    return {
        "frames.json": list(frames()),
        "invalid.json": list(invalid()),
        "conversations.json": conversations,
    }


def load(name: str) -> list[Json]:
    """What a file holds."""
    vectors: list[Json] = json.loads((FOLDER / name).read_text())
    return vectors


def text(vectors: list[Json]) -> str:
    """The file: a line for each vector, and for each step of a conversation."""
    return "[\n" + ",\n".join(map(_line, vectors)) + "\n]\n"


def _line(vector: Json) -> str:
    line = json.dumps(vector, ensure_ascii=False)
    if "steps" not in vector:
        return line
    steps = ",\n  ".join(json.dumps(step, ensure_ascii=False) for step in vector["steps"])
    return json.dumps(vector | {"steps": []}, ensure_ascii=False)[:-2] + "\n  " + steps + "\n]}"


if __name__ == "__main__":
    for name, vectors in generate().items():
        (FOLDER / name).write_text(text(vectors))
