"""The package of ``clients/node``, installed and built once a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.clients.node_program import building, reading, run
from tests.tools import require_tool
from tests.workers import once

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def installed() -> None:
    """What ``package-lock.json`` names, and nothing else."""
    require_tool("node")
    once("npm-ci", lambda: run("npm", "ci"))


@pytest.fixture(scope="session")
def _built_once(installed: None) -> None:
    with building():
        once("npm-run-build", lambda: run("npm", "run", "build"))


@pytest.fixture
def built(_built_once: None) -> Iterator[None]:
    """What the sources come to, while the test lasts."""
    with reading():
        yield
