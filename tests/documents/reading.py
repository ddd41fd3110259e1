"""The documentation as data: its files, their fenced blocks and their tables."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import NamedTuple

from tests.tools import require_tool

REPOSITORY = Path(__file__).parents[2]
DOCS = REPOSITORY / "udist_plugin" / "docs"


class Block(NamedTuple):
    """A fenced block: the section it stands in, its language, its text."""

    section: str
    language: str
    text: str


def documents() -> list[Path]:
    """Every Markdown file in the repository."""
    command = [require_tool("git"), "ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.md"]
    listing = subprocess.run(command, cwd=REPOSITORY, capture_output=True, check=True, timeout=60).stdout
    paths = {REPOSITORY / name for name in listing.decode().split("\0") if name}
    return sorted(path for path in paths if path.exists())


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
