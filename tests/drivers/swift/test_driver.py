"""The driver on OpenStack Swift: the suite of all drivers, and the OCI's conformance program."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conformance.plugin import MOST, check
from udist_plugin.drivers import open_driver
from udist_plugin.storage import paths
from udist_plugin.testing.storage_driver import StorageDriverSuite

if TYPE_CHECKING:
    from pathlib import Path

    from udist_plugin.drivers.base import StorageDriver


class TestSwift(StorageDriverSuite):
    @pytest.fixture(params=["", "some/root"])
    def driver(self, parameters: dict[str, object], request: pytest.FixtureRequest) -> StorageDriver:
        return open_driver("swift", {**parameters, "prefix": request.param}, scratch=paths.SCRATCH)


@pytest.mark.parametrize(("version", "sparse", "least"), MOST)
def test_conforms(
    version: str, sparse: bool, least: int, parameters: dict[str, object], tmp_path: Path
) -> None:
    check({"swift": parameters}, version, sparse, least, tmp_path)
