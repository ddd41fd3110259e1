"""``clients/go/embedded``: one static Go program that carries its plugin, in a root without anything else."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

import pytest

from tests.clients.empty_root import run_in
from tests.clients.generate_go import REPOSITORY
from tests.tools import run_tool
from tests.workers import folder, once

if TYPE_CHECKING:
    from pathlib import Path

GO = REPOSITORY / "clients" / "go"
TIMEOUT = 600  # seconds: the first build compiles the standard library

pytestmark = [
    pytest.mark.timeout(TIMEOUT),
    pytest.mark.skipif(sys.platform != "linux", reason="namespaces"),
]

PLACES = {
    "writable": ("cache", "mode=700", ""),
    "noexec": ("noexec", "mode=700,noexec", "mounted noexec"),
    "full": ("full", "mode=700,size=64k", "no space left on device"),
    "read-only": ("readonly", "mode=700,ro", "read-only file system"),
    "of everybody": ("open", "mode=777", "other users could replace the plugin"),
}
"""Where the plugin is to be unpacked: the folder, how it is mounted, and what is said of it."""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with the tests of the module, without cgo, which carry themselves as a plugin."""
    program = folder() / "go-embedded.test"
    build = ["go", "test", "-c", "-o", str(program), "."]
    once("go-embedded", lambda: run_tool(*build, cwd=GO, timeout=TIMEOUT, CGO_ENABLED="0"))
    shutil.copy(program, tmp_path / "program")
    return tmp_path


def test_the_plugin_is_found_in_an_empty_root(root: Path) -> None:
    done = run_in(root, "/program", "-test.v", "-test.run=^(TestCarriedPlugin|TestWithoutCache)$")
    assert done.stdout.endswith("PASS\n"), done.stdout
    assert done.stdout.count("--- PASS") == 5


@pytest.mark.parametrize("place", PLACES)
def test_places_to_unpack_into(root: Path, place: str) -> None:
    """Where that fails, the plugin runs from memory, and a warning says why."""
    name, options, warning = PLACES[place]
    done = run_in(
        root,
        *("/program", "-test.v", "-test.run=^TestCarriedPluginIn$"),
        mounts={name: options},
        UDIST_TEST_CACHE=f"/{name}",
        UDIST_TEST_WARNING=warning,
    )
    assert "--- PASS: TestCarriedPluginIn" in done.stdout, done.stdout
