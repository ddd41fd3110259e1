"""The examples of ``clients/go``: Go's registry libraries over a plugin, as the documentation shows them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.tools import run_tool

_EXAMPLES = Path(__file__).parents[2] / "clients" / "go" / "examples"
_TAGS = "containers_image_openpgp,exclude_graphdriver_btrfs,exclude_graphdriver_devicemapper"
_ISOLATED = [sys.executable, str(Path(__file__).with_name("without_network.py"))]
_TIMEOUT = 900  # seconds: the first build compiles some hundred packages

pytestmark = pytest.mark.timeout(_TIMEOUT)


def _run(*command: str) -> str:
    plugin = f"{sys.executable} -m udist_plugin"
    return run_tool(*command, cwd=_EXAMPLES, timeout=_TIMEOUT, CGO_ENABLED="0", UDIST_PLUGIN=plugin)


def test_vet() -> None:
    _run("go", "vet", "-p", "2", "-tags", _TAGS, "./...")


def test_examples() -> None:
    said = _run("go", "test", "-count=1", "-v", "-p", "2", "-tags", _TAGS, "./...")
    assert said.count("--- PASS: Example_") == len(list(_EXAMPLES.glob("*_test.go")))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux filters what a process asks of its kernel")
def test_without_network(tmp_path: Path) -> None:
    """Where no Internet socket is to be had, no port could be reached and nothing be downloaded."""
    reach = [*_ISOLATED, sys.executable, "-c", "import socket; socket.create_connection(('127.0.0.1', 9))"]
    reached = subprocess.run(reach, capture_output=True, text=True, timeout=60, check=False)
    assert reached.stderr.splitlines()[-1].startswith("PermissionError")
    program = str(tmp_path / "examples")
    _run("go", "test", "-c", "-p", "2", "-tags", _TAGS, "-o", program, ".")
    assert "PASS" in _run(*_ISOLATED, program)
