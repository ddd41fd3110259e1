"""What the browser looks like, as SVG.

Run with ``WRITE_SNAPSHOT=1`` to make ``screen.svg`` anew; look at it in a web browser before it is kept.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.cli.browse.conftest import press, shown, store_of
from tests.images.sample import Layout
from udist_plugin.cli.browse.app import Browser

pytestmark = pytest.mark.anyio
GOLDEN = Path(__file__).with_name("screen.svg")


async def screen(tmp_path: Path) -> str:
    """An image's manifest, at 80 columns and 24 lines."""
    layout = Layout(tmp_path / "layout")
    layout.image("demo/app:v1")
    async with shown(Browser(store_of(layout.root), "layout")) as pilot:
        await press(pilot, *["down"] * 2, *["right"] * 2, *["right"] * 2)
        return normalised(pilot.app.export_screenshot(title="udist browse"))


def normalised(svg: str) -> str:
    """Without identifiers that change, and without addresses of fonts."""
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    svg = re.sub(r"terminal-[0-9]+-", "terminal-", svg)
    return "\n".join(line.rstrip() for line in svg.splitlines() if line.strip()) + "\n"


async def test_the_screen_looks_as_it_did(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    found = await screen(tmp_path)
    if os.environ.get("WRITE_SNAPSHOT"):
        GOLDEN.write_text(found)
    assert found == GOLDEN.read_text()


async def test_there_is_no_colour_where_none_is_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    found = await screen(tmp_path)
    colours = set(re.findall(r"#[0-9a-f]{6}\b", found))
    assert colours
    window = {"#ff5f57", "#febc2e", "#28c840", "#c5c8c6"}  # the picture's own
    assert {each for each in colours - window if len({each[1:3], each[3:5], each[5:7]}) > 1} == set()
