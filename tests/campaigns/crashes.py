"""Power fails between any two calls, with a hundred random outcomes each time; the suite draws two."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.storage.test_crashes import crash_everywhere, record
from udist_plugin.drivers.filesystem.steps import StagedFiles

if TYPE_CHECKING:
    from pathlib import Path

DRAWS = 100


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("beside_others", [False, True])
def test_what_was_acknowledged_survives(
    beside_others: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if beside_others:
        monkeypatch.setattr(StagedFiles, "commit", lambda self: False)
    crash_everywhere(record(monkeypatch, tmp_path / "root"), DRAWS)
