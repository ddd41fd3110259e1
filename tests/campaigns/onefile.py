"""All that can be asked of the plugin in the single file, in a root without Python, and the file's sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.clients.conftest import installed
from tests.clients.node_program import building, run
from tests.conformance.plugin import RUNS
from tests.onefile.building import build
from tests.onefile.conftest import onefile
from tests.onefile.suites import NODE_FILES, conforms, go, node

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["installed", "onefile"]

pytestmark = pytest.mark.timeout(1800)


@pytest.mark.parametrize(("version", "sparse", "least"), RUNS)
def test_it_conforms(
    onefile: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, sparse: bool, least: int
) -> None:
    conforms(onefile, monkeypatch, version, sparse, least, tmp_path)


def test_go(onefile: Path, tmp_path: Path) -> None:
    assert go(onefile, tmp_path).endswith("PASS\n")


def test_node(onefile: Path, installed: None) -> None:
    with building():
        run("npm", "run", "build")
        run("npx", "tsc", "-p", "tsconfig.json")
        said = node(onefile, *NODE_FILES)
    assert "# fail 0" in said


@pytest.mark.parametrize(("extras", "largest"), [(None, 45 << 20), ("", 25 << 20)], ids=["all", "s3"])
def test_sizes(tmp_path: Path, extras: str | None, largest: int) -> None:
    """In bytes, as released."""
    options = [] if extras is None else ["--extras", extras]
    build(tmp_path / "udist", *options)
    assert (tmp_path / "udist").stat().st_size <= largest
