"""The command in this process, against a plugin with a store of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from udist_plugin.cli.running import run as run_command

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Ran(NamedTuple):
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, beside the store that ``REGISTRY_*`` names."""
    monkeypatch.setenv("REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY", str(tmp_path / "store"))
    folder = tmp_path / "work"
    (folder / "folder").mkdir(parents=True)
    (folder / "README.md").write_text("# Read me\n")
    (folder / "folder/inner").write_text("inner\n")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def udist(work: Path, capfd: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    def run(*words: str) -> Ran:
        code = run_command(words)
        return Ran(code, *capfd.readouterr())

    return run
