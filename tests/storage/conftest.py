from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.drivers.conftest import before
from tests.drivers.memory_store import MemoryObjects
from udist_plugin.drivers import open_driver
from udist_plugin.drivers.base import SMALL_FILE_MAX
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
def read(driver: StorageDriver, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths of small files, as they are read."""
    paths_read: list[str] = []
    get_content = driver.get_content

    def recorded(path: str, limit: int = SMALL_FILE_MAX) -> bytes:
        paths_read.append(path)
        return get_content(path, limit)

    monkeypatch.setattr(driver, "get_content", recorded)
    return paths_read


@pytest.fixture
def registry(driver: StorageDriver) -> StorageRegistry:
    return StorageRegistry(driver)
