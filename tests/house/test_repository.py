"""What stands in the repository, and what must not."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from tests.documents.reading import documents
from tests.house.generate import REPOSITORY
from tests.tools import require_tool

TOP_LEVEL = {
    *("LICENSE", "README.md", "clients", "findings", "proto", "pyproject.toml", "tests", "udist_plugin")
}
FORBIDDEN = re.compile(
    r"(?i:index-url|find-links|resolved|registry|proxy|sumdb)\"?\s*[=:]\s*\"?https?://(?!127\.|localhost)"
    r"|https?://\S+\.(?:whl|tgz|crate|deb)\b|https?://\S+/simple\b"
    r"|(?<![\w.])/(?:home|Users|work)/\w|/root/\.(?:pyenv|cache|local)"
)
"""How the address of a package registry comes into a file, and folders of somebody's machine."""


def tracked() -> list[Path]:
    command = [require_tool("git"), "ls-files", "-z"]
    listing = subprocess.run(command, cwd=REPOSITORY, capture_output=True, check=True, timeout=60).stdout
    paths = (Path(name) for name in listing.decode().split("\0") if name)
    return [path for path in paths if (REPOSITORY / path).exists()]


def test_the_top_level() -> None:
    names = {path.parts[0] for path in tracked()}
    assert {name for name in names if not name.startswith(".")} - {"clients"} == TOP_LEVEL - {"clients"}


def test_no_registry_and_no_machine_is_named() -> None:
    found = []
    for path in tracked():
        text = (REPOSITORY / path).read_bytes().decode(errors="replace")
        if path != Path(__file__).relative_to(REPOSITORY):
            found += [f"{path}: {match[0]}" for match in FORBIDDEN.finditer(text)]
    assert found == []


def test_lock_files_stay_out() -> None:
    locks = {"uv.lock", "poetry.lock"}
    assert [path for path in tracked() if path.name in locks] == []


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_links_lead_somewhere(path: Path) -> None:
    for target in links(path):
        if "://" in target or target.startswith("mailto:"):
            continue
        name, _, anchor = target.partition("#")
        linked = (path.parent / name).resolve() if name else path
        assert linked.exists(), f"{path} links to {target}"
        assert not anchor or anchor in anchors(linked), f"{path} links to {target}"


def links(path: Path) -> list[str]:
    tokens = MarkdownIt().enable("table").parse(path.read_text())
    inline = [child for token in tokens for child in token.children or ()]
    return [str(child.attrs["href"]) for child in inline if child.type == "link_open"]


def anchors(path: Path) -> set[str]:
    """The names that headings get where markdown is shown: lower case, hyphens, letters and digits."""
    tokens = MarkdownIt().parse(path.read_text())
    titles = [tokens[i + 1].content for i, token in enumerate(tokens) if token.type == "heading_open"]
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
