"""The module of ``clients/go`` for go-plugin, with that library itself."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import pytest

from tests.tools import require_tool, run_tool

MODULE: Final = Path(__file__).parents[2] / "clients" / "go" / "goplugin"
TOOLS: Final = Path(__file__).with_name("go.mod")
TIMEOUT: Final = 600
"""Seconds, for the first build."""

pytestmark = pytest.mark.timeout(TIMEOUT)


def run(*command: str, **environment: str) -> str:
    return run_tool(*command, cwd=MODULE, timeout=TIMEOUT, **environment)


def test_formatted_vetted_and_tidy() -> None:
    assert run("gofmt", "-l", ".") == ""
    for system in ("linux", "darwin", "windows"):
        run("go", "vet", "./...", GOOS=system, CGO_ENABLED="0")
    run("go", "tool", f"-modfile={TOOLS}", "staticcheck", "./...")
    run("go", "mod", "tidy", "-diff")


def test_race() -> None:
    """The race detector needs cgo, and so a C compiler."""
    require_tool("gcc")
    plugin = f"{sys.executable} -m udist_plugin"
    repository = str(MODULE.parents[2])
    run(
        "go",
        "test",
        "-race",
        "-count=1",
        "./...",
        CGO_ENABLED="1",
        UDIST_PLUGIN=plugin,
        PYTHONPATH=repository,
    )
