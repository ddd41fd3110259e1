from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.storage.memory_store import MemoryObjects
from udist_plugin.drivers import open_driver
from udist_plugin.drivers.filesystem import calls
from udist_plugin.storage import paths
from udist_plugin.storage.registry import StorageRegistry

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from udist_plugin.drivers.base import StorageDriver

    Before = Callable[[str, Callable[[], object]], None]

pytest.register_assert_rewrite("udist_plugin.testing.storage_driver")


@pytest.fixture(params=["filesystem", "inmemory", "objects"])
def driver(request: pytest.FixtureRequest, tmp_path: Path) -> StorageDriver:
    if request.param == "objects":
        return MemoryObjects()
    return open_driver(request.param, {"rootdirectory": str(tmp_path)}, scratch=paths.SCRATCH)


@pytest.fixture
def registry(driver: StorageDriver) -> StorageRegistry:
    return StorageRegistry(driver)


@pytest.fixture
def before(monkeypatch: pytest.MonkeyPatch) -> Before:
    """``before(call, action)`` does ``action`` once, before the next such call of the operating system."""

    def arrange(name: str, action: Callable[[], object]) -> None:
        call = getattr(calls, name)

        def overtaken(*arguments: str) -> None:
            monkeypatch.setattr(calls, name, call)
            action()
            call(*arguments)

        monkeypatch.setattr(calls, name, overtaken)

    return arrange
