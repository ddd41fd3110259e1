"""A workspace for workflows, and the action's packages, installed once a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.tools import require_tool, run_tool
from tests.workers import once
from tests.workflows.act import ACTION, Workspace

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    require_tool("act")
    require_tool("node")
    return Workspace.make(tmp_path)


@pytest.fixture(scope="session")
def installed() -> None:
    """What the action's ``package-lock.json`` names, and nothing else."""
    require_tool("node")
    once("action-npm-ci", lambda: run_tool("npm", "ci", cwd=ACTION, timeout=300))
