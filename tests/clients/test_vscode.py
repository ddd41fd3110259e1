"""The extension of ``clients/vscode``; ``tests/campaigns/workbench.py`` has more of it in a workbench."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import pytest

from tests.clients.vscode import NODE24, TIMEOUT, VSCODE, in_workbench, node, npm, prepare, require_workbench
from tests.tools import require_tool

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.timeout(TIMEOUT), pytest.mark.usefixtures("prepared")]


@pytest.fixture
def prepared(installed: None) -> None:
    require_tool(str(NODE24 / "node"))
    prepare()


def test_the_sources_are_linted_and_typed() -> None:
    npm("run", "check")


def test_the_model() -> None:
    files = sorted(str(path.relative_to(VSCODE)) for path in (VSCODE / "build").glob("*.test.cjs"))
    assert len(files) == len(list((VSCODE / "test").glob("*.test.ts")))
    node(*files)


def test_the_package_has_what_it_needs_and_no_more() -> None:
    with zipfile.ZipFile(VSCODE / "dist" / "udist.vsix") as package:
        names = {name.removeprefix("extension/") for name in package.namelist() if "extension/" in name}
    assert names == {"LICENSE.txt", "dist/extension.cjs", "icon.png", "package.json", "readme.md", "view.svg"}


def test_a_workbench_shows_a_manifest(tmp_path: Path) -> None:
    require_workbench()
    in_workbench("short", tmp_path)
