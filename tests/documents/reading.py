"""The documentation as data: its files, their fenced blocks and their tables."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

REPOSITORY = Path(__file__).parents[2]
DOCS = REPOSITORY / "udist_plugin" / "docs"


class Block(NamedTuple):
    """A fenced block: the section it stands in, its language, its text."""

    section: str
    language: str
    text: str


def documents() -> list[Path]:
    """Every Markdown file of the project; installed packages have their own."""
    folders = ("", "proto/", "udist_plugin/docs/", "clients/*/", "tests/*/", "findings/")
    return sorted(path for folder in folders for path in REPOSITORY.glob(f"{folder}*.md"))


def blocks(document: Path) -> list[Block]:
    found = []
    section = ""
    pattern = r"^## ([^\n]+)$|^```(\w*)\n(.*?)^```$"
    for heading, language, text in re.findall(pattern, document.read_text(), re.M | re.S):
        section = heading or section
        if not heading:
            found.append(Block(section, language, text))
    return found


def first_cells(document: Path, header: str) -> set[str]:
    """The first cell of each row of the table that begins with ``header``."""
    table = document.read_text().partition(f"\n{header}\n")[2].partition("\n\n")[0]
    return set(re.findall(r"^\| (.+?) \| .+ \|$", table, re.M)) - {"---"}
