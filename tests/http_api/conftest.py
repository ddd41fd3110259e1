from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.http_api.wsgi import Client
from udist_plugin.drivers import open_driver
from udist_plugin.http_api.app import Application
from udist_plugin.storage import paths
from udist_plugin.storage.registry import StorageRegistry
from udist_plugin.wrappers.validation import ValidatingRegistry

if TYPE_CHECKING:
    from pathlib import Path

    from udist_plugin.drivers import StorageDriver
    from udist_plugin.registry import Registry


@pytest.fixture(params=["filesystem", "inmemory"])
def driver(request: pytest.FixtureRequest, tmp_path: Path) -> StorageDriver:
    parameters = {"rootdirectory": str(tmp_path)} if request.param == "filesystem" else {}
    return open_driver(request.param, parameters, scratch=paths.SCRATCH)


@pytest.fixture
def registry(driver: StorageDriver) -> Registry:
    return ValidatingRegistry(StorageRegistry(driver))


@pytest.fixture
def client(registry: Registry) -> Client:
    return Client(Application(registry))
