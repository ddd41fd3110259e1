"""The driver on Azure Blob Storage: the suite of all drivers, and the OCI's conformance program."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conformance.plugin import RUNS, check
from udist_plugin.storage.drivers import open_driver
from udist_plugin.testing.storage_driver import StorageDriverSuite

if TYPE_CHECKING:
    from pathlib import Path

    from udist_plugin.storage.drivers.base import StorageDriver


class TestAzure(StorageDriverSuite):
    @pytest.fixture(params=["", "/some/root", "legacy"])
    def driver(self, parameters: dict[str, object], request: pytest.FixtureRequest) -> StorageDriver:
        if request.param == "legacy":
            return open_driver("azure", {**parameters, "trimlegacyrootprefix": False})
        return open_driver("azure", {**parameters, "rootdirectory": request.param})


@pytest.mark.parametrize(("version", "sparse", "least"), RUNS)
def test_conforms(
    version: str, sparse: bool, least: int, parameters: dict[str, object], tmp_path: Path
) -> None:
    check({"azure": parameters}, version, sparse, least, tmp_path)
