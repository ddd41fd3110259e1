"""What somebody has looked at of what survived: ``survivors.toml``."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import NamedTuple

FILE = Path(__file__).with_suffix(".toml")
KINDS = ("equivalent", "tuning")


class Verdict(NamedTuple):
    """``kind`` is ``equivalent``, if no input can tell, or ``tuning``, if only speed or memory changes."""

    kind: str
    reason: str


def verdicts() -> dict[tuple[str, str], Verdict]:
    """By a file's path in the package and the changed line, without indentation."""
    found = tomllib.loads(FILE.read_text())
    return {
        (name, line): Verdict(kind, reason)
        for kind, files in found.items()
        for name, lines in files.items()
        for line, reason in lines.items()
    }
