"""The tools of the house find nothing: formatter, linters, type checker."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.house.generate import REPOSITORY
from tests.tools import require_tool


def passes(*command: str) -> None:
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "arguments", [["ruff", "check"], ["ruff", "format", "--check"], ["mypy"]], ids=" ".join
)
def test_python(arguments: list[str]) -> None:
    passes(sys.executable, "-m", *arguments)


def test_protos() -> None:
    passes(require_tool("buf"), "lint", "proto")
