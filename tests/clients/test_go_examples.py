"""The examples of ``clients/go``: Go's registry libraries over a plugin, as the documentation shows them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tools import require_tool

_EXAMPLES = Path(__file__).parents[2] / "clients" / "go" / "examples"
_TAGS = "containers_image_openpgp,exclude_graphdriver_btrfs,exclude_graphdriver_devicemapper"
_ISOLATED = ["unshare", "--map-root-user", "--net"]
_TIMEOUT = 900  # seconds: the first build compiles some hundred packages

pytestmark = pytest.mark.timeout(_TIMEOUT)


def _run(*command: str) -> str:
    environ = {**os.environ, "CGO_ENABLED": "0", "UDIST_PLUGIN": f"{sys.executable} -m udist_plugin"}
    done = subprocess.run(
        [require_tool(command[0]), *command[1:]],
        cwd=_EXAMPLES,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_TIMEOUT,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-20_000:]
    return done.stdout


def test_vet() -> None:
    _run("go", "vet", "-p", "2", "-tags", _TAGS, "./...")


def test_examples() -> None:
    said = _run("go", "test", "-count=1", "-v", "-p", "2", "-tags", _TAGS, "./...")
    assert said.count("--- PASS: Example_") == len(list(_EXAMPLES.glob("*_test.go")))


def test_without_network(tmp_path: Path) -> None:
    """Where there is no network, not even loopback, a port could not be reached and nothing be downloaded."""
    probe = subprocess.run(
        [require_tool("unshare"), *_ISOLATED[1:], "true"], capture_output=True, check=False
    )
    if probe.returncode:
        pytest.skip(f"no network namespace is to be had: {probe.stderr.decode().strip()}")
    program = str(tmp_path / "examples")
    _run("go", "test", "-c", "-p", "2", "-tags", _TAGS, "-o", program, ".")
    assert "PASS" in _run(*_ISOLATED, program)
