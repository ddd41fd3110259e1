"""The extension for VS Code in a real workbench, in a real browser: all that it does, and what it refuses.

The screenshots are in pytest's temporary folder, to be looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.clients.conftest import installed
from tests.clients.vscode import TIMEOUT, in_workbench, prepare, require_workbench

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["installed"]

pytestmark = pytest.mark.timeout(TIMEOUT)


@pytest.mark.parametrize("name", ["short", "long", "refusals"])
def test_workbench(name: str, installed: None, tmp_path: Path) -> None:
    require_workbench()
    prepare()
    in_workbench(name, tmp_path)
