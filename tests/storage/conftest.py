from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.drivers.conftest import before
from tests.drivers.memory_store import MemoryObjects
from udist_plugin.drivers import open_driver
from udist_plugin.storage import paths
from udist_plugin.storage.registry import StorageRegistry

if TYPE_CHECKING:
    from pathlib import Path

    from udist_plugin.drivers.base import StorageDriver

__all__ = ["before"]


@pytest.fixture(params=["filesystem", "inmemory", "objects"])
def driver(request: pytest.FixtureRequest, tmp_path: Path) -> StorageDriver:
    if request.param == "objects":
        return MemoryObjects()
    return open_driver(request.param, {"rootdirectory": str(tmp_path)}, scratch=paths.SCRATCH)


@pytest.fixture
def registry(driver: StorageDriver) -> StorageRegistry:
    return StorageRegistry(driver)
