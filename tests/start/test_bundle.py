"""The cache of a start: made by the first, used by the next, and never older than the source."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING

import pytest

from tests.house.generate import REPOSITORY
from udist_plugin.client.plugin import Plugin

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """
import sys
sys.path.insert(0, sys.argv.pop(1))
from udist_plugin.start import bundle
save = bundle.Bundle.save
def tell_and_save(self):
    save(self)
    loaders = {type(module.__loader__).__name__ for name, module in sys.modules.items() if name == TOLD}
    print(*loaders, getattr(sys.modules[TOLD], "MARK", ""), file=sys.stderr)
TOLD = "udist_plugin.http_api.base"
bundle.Bundle.save = tell_and_save
from udist_plugin.cli.plugin import main
main([])
"""
"""A plugin that tells where it had the module of its first answer from."""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(REPOSITORY / "udist_plugin", tmp_path / "udist_plugin", ignore=ignored)
    return tmp_path / "udist_plugin"


def start(package: Path, *flags: str) -> str:
    """Starts the package's plugin for one answer, and returns what it tells."""
    lines: list[str] = []
    command = [sys.executable, "-S", "-X", "utf8", *flags, "-c", PROGRAM, str(package.parent)]
    environ = {"REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY": str(package.parent / "store")}
    plugin = Plugin(None, environ, command, log=lines.append)
    with plugin, plugin.request("GET", "/v2/") as response:
        assert response.status == 200
    return lines[-1].strip()


def cache(package: Path) -> list[Path]:
    return list((package / "__pycache__").glob("start-of-plugin*"))


@pytest.fixture(autouse=True)
def bytecode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    monkeypatch.delenv("PYTHONPYCACHEPREFIX", raising=False)


def test_the_second_start_uses_what_the_first_has_written(package: Path) -> None:
    assert start(package) == "SourceFileLoader"
    assert len(cache(package)) == 1
    assert start(package) == "_Loader"


@pytest.mark.parametrize("older", [False, True])
def test_a_changed_source_counts(package: Path, older: bool) -> None:
    start(package)
    source = package / "http_api" / "base.py"
    status = source.stat()
    source.write_text(source.read_text() + "\nMARK = 'changed'\n")
    if older:  # as an update from an archive leaves it
        os.utime(source, ns=(status.st_atime_ns, status.st_mtime_ns - 10**12))
    assert start(package) == "SourceFileLoader changed"
    assert start(package) == "_Loader changed"


@pytest.mark.parametrize("content", [b"", b"\0", None, b"of another Python" * 99])
def test_a_spoilt_file_is_made_anew(package: Path, content: bytes | None) -> None:
    start(package)
    (path,) = cache(package)
    whole = path.read_bytes()
    path.write_bytes(whole[:100] if content is None else content)
    assert start(package) == "SourceFileLoader"
    assert start(package) == "_Loader"


def test_nothing_is_written_where_python_writes_no_bytecode(package: Path) -> None:
    start(package, "-B")
    assert cache(package) == []


def test_a_folder_that_takes_no_file_does_no_harm(package: Path) -> None:
    (package / "__pycache__").write_text("no folder")
    assert start(package) == "SourceFileLoader"
    assert (package / "__pycache__").read_text() == "no folder"
