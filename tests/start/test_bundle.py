"""The cache of a start: made by the first, used by the next, and never older than the source."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.house.generate import REPOSITORY
from udist_plugin.client.plugin import Plugin

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """
import sys
root, TOLD = sys.argv[1:]
sys.path.insert(0, root)
from udist_plugin.start import bundle
save = bundle.Bundle.save
def tell_and_save(self):
    save(self)
    loaders = {type(module.__loader__).__name__ for name, module in sys.modules.items() if name == TOLD}
    print(*loaders, getattr(sys.modules[TOLD], "MARK", ""), file=sys.stderr)
bundle.Bundle.save = tell_and_save
from udist_plugin.cli.plugin import main
main([])
"""
"""A plugin that tells where it had a module from."""

EDITED = """
import sys
sys.path.insert(0, sys.argv[1])
from udist_plugin.cli import habits
from udist_plugin.start.bundle import Bundle
with open(habits.__file__, "a") as file:
    file.write("(")
Bundle("plugin").save()
"""
"""A program that ends when one of its sources is no Python for the moment."""

FIRST, LATER = "http_api.base", "http_api.catalog"
"""Modules for the first answer, and for another."""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(REPOSITORY / "udist_plugin", tmp_path / "udist_plugin", ignore=ignored)
    return tmp_path / "udist_plugin"


def start(package: Path, *flags: str, told: str = FIRST) -> str:
    """Starts the package's plugin for one answer, and returns what it tells of a module."""
    lines: list[str] = []
    program = ["-c", PROGRAM, str(package.parent), f"udist_plugin.{told}"]
    environ = {"REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY": str(package.parent / "store")}
    plugin = Plugin(None, environ, [sys.executable, "-S", *flags, *program], log=lines.append)
    with plugin, plugin.request("GET", "/v2/" if told == FIRST else "/v2/_catalog") as response:
        assert response.status == 200
    return lines[-1].strip()


def cache(package: Path) -> list[Path]:
    """The compiled file of a module that is there, so that it is uninstalled with it."""
    assert (package / "start" / "plugin.py").exists()
    return list((package / "start" / "__pycache__").glob("plugin.*"))


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


def test_what_a_later_start_needs_is_added(package: Path) -> None:
    start(package)
    assert start(package, told=LATER) == "SourceFileLoader"
    assert start(package, told=LATER) == "_Loader"
    assert start(package) == "_Loader"


def test_a_source_that_is_being_edited_does_no_harm(package: Path) -> None:
    start(package)
    (path,) = cache(package)
    whole = path.read_bytes()
    subprocess.run([sys.executable, "-c", EDITED, str(package.parent)], check=True, timeout=30)
    assert cache(package) == [path]
    assert path.read_bytes() == whole


@pytest.mark.parametrize("content", [b"", b"\0", b"of another Python" * 99])
def test_a_spoilt_file_is_made_anew(package: Path, content: bytes) -> None:
    start(package)
    (path,) = cache(package)
    path.write_bytes(content)
    assert start(package) == "SourceFileLoader"
    assert start(package) == "_Loader"


@pytest.mark.parametrize("left", [100, -100])
def test_a_file_that_lacks_its_end_is_made_anew(package: Path, left: int) -> None:
    start(package)
    (path,) = cache(package)
    path.write_bytes(path.read_bytes()[:left])
    assert start(package) == "SourceFileLoader"
    assert start(package) == "_Loader"


def test_nothing_is_written_where_python_writes_no_bytecode(package: Path) -> None:
    start(package, "-B")
    assert cache(package) == []


def test_a_folder_that_takes_no_file_does_no_harm(package: Path) -> None:
    (package / "start" / "__pycache__").write_text("no folder")
    assert start(package) == "SourceFileLoader"
    assert (package / "start" / "__pycache__").read_text() == "no folder"
