"""The single file and a cache in which it is unpacked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.onefile.building import built, start
from tests.workers import folder, once

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def onefile() -> Path:
    return built()


@pytest.fixture(scope="session")
def unpacked(onefile: Path) -> Path:
    """A cache that a first start has filled."""
    cache = folder() / "onefile-cache"

    def fill() -> None:
        assert start(onefile, "version", XDG_CACHE_HOME=str(cache)).returncode == 0

    once("onefile-cache", fill)
    return cache
