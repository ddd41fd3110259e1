"""Somebody who uses ``udist exec``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.gateway.udist import Home

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home.make(tmp_path)
