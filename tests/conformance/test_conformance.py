"""The OCI's conformance program finds nothing to object to and nothing missing, through a spawned plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conformance.plugin import RUNS, check

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(("version", "sparse", "least"), RUNS)
def test_conforms(version: str, sparse: bool, least: int, tmp_path: Path) -> None:
    storage: dict[str, object] = {"filesystem": {"rootdirectory": str(tmp_path / "store")}}
    check(storage, version, sparse, least, tmp_path / "results")
