"""The sources of ``clients/node``: linted, typed and tested."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.clients.generate_node import GENERATED, generate
from tests.clients.node_program import TIMEOUT, building, run

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.timeout(TIMEOUT), pytest.mark.usefixtures("installed")]


def test_lint_and_types() -> None:
    run("npm", "run", "check")


def test_suite() -> None:
    with building():
        said = run("npm", "test")
    assert "fail 0" in said


def test_generated_code_is_current(tmp_path: Path) -> None:
    assert GENERATED.read_bytes() == generate(tmp_path), "run: python -m tests.clients.generate_node"
