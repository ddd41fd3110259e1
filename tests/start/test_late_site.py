"""``site`` runs in a plugin when something is wanted that is installed, and only then."""

from __future__ import annotations

import subprocess
import sysconfig
import venv
from pathlib import Path

import pytest

from tests.house.generate import REPOSITORY

PROGRAM = """
import sys
driver, *more = sys.argv[1:]
sys.path += more
from udist_plugin import Plugin
with Plugin(None, {"REGISTRY_STORAGE": driver}) as plugin, plugin.request("GET", "/v2/") as response:
    print(response.status)
"""

DRIVER = """
from udist_plugin.drivers.inmemory import InMemoryDriver

class Driver(InMemoryDriver):
    name = "other"
"""

FINDER = """
import importlib.util, sys

with open({log!r}, "a") as file:
    file.write("site ran. ")

class Finder:
    def find_spec(self, name, path=None, target=None):
        return importlib.util.spec_from_file_location(name, {driver!r}) if name == "other_driver" else None

sys.meta_path.append(Finder())
"""
"""Finds the driver as a package is found that is installed as a link to a checkout."""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
def python(tmp_path: Path, log: Path) -> str:
    """An interpreter with the driver ``other``. Whenever ``site`` runs it writes to ``log``."""
    venv.create(tmp_path / "venv")
    installed = Path(sysconfig.get_path("purelib", vars={"base": str(tmp_path / "venv")}))
    (tmp_path / "driver.py").write_text(DRIVER)
    finder = FINDER.format(log=str(log), driver=str(tmp_path / "driver.py"))
    (installed / "other_finder.py").write_text(finder)
    (installed / "other.pth").write_text("import other_finder\n")
    about = installed / "other-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[udist_plugin.storage_drivers]\nother = other_driver:Driver\n")
    return str(tmp_path / "venv/bin/python")


def ask(python: str, driver: str, *flags: str) -> str:
    """What a program that starts a plugin prints. It knows this package by ``sys.path`` alone."""
    command = [python, *flags, "-c", PROGRAM, driver, str(REPOSITORY), sysconfig.get_path("purelib")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout.strip() or done.stderr


def test_a_driver_that_is_installed_is_found(python: str, log: Path) -> None:
    assert ask(python, "other") == "200"
    assert log.read_text().count("site ran") == 2  # the caller's, and the plugin's


def test_a_plugin_that_needs_nothing_installed_is_spared_it(python: str, log: Path) -> None:
    assert ask(python, "inmemory") == "200"
    assert log.read_text().count("site ran") == 1


def test_a_caller_that_does_without_has_a_plugin_without(python: str, log: Path) -> None:
    assert "unknown storage driver 'other'" in ask(python, "other", "-S")
    assert ask(python, "inmemory", "-S") == "200"
    assert not log.exists()
