"""The sources of ``clients/node``: linted, typed and tested."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import pytest

from tests.clients.generate_node import GENERATED, NODE, generate
from tests.tools import require_tool

if TYPE_CHECKING:
    from pathlib import Path

TIMEOUT: Final = 600  # seconds

pytestmark = pytest.mark.timeout(TIMEOUT)


def run(*command: str, cwd: Path = NODE) -> str:
    done = subprocess.run(
        [require_tool(command[0]), *command[1:]],
        cwd=cwd,
        env={**os.environ, "UDIST_PLUGIN": f"{sys.executable} -m udist_plugin"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-20_000:]
    return done.stdout


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    """What ``package-lock.json`` names, and nothing else."""
    require_tool("node")
    run("npm", "ci")


def test_lint_and_types() -> None:
    run("npm", "run", "check")


def test_suite() -> None:
    said = run("npm", "test")
    assert "fail 0" in said


def test_generated_code_is_current(tmp_path: Path) -> None:
    assert GENERATED.read_bytes() == generate(tmp_path), "run: python -m tests.clients.generate_node"
