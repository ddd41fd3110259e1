"""The driver on Google Cloud Storage: the suite of all drivers, and the OCI's conformance program."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conformance.plugin import RUNS, check
from udist_plugin.storage.drivers import open_driver
from udist_plugin.testing.storage_driver import StorageDriverSuite

if TYPE_CHECKING:
    from pathlib import Path

    from udist_plugin.storage.drivers.base import StorageDriver


class TestGcs(StorageDriverSuite):
    @pytest.fixture
    def driver(self, bucket: str) -> StorageDriver:
        return open_driver("gcs", {"bucket": bucket, "rootdirectory": "/some/root/"})


@pytest.mark.parametrize(("version", "sparse", "least"), RUNS)
def test_conforms(version: str, sparse: bool, least: int, bucket: str, tmp_path: Path) -> None:
    check({"gcs": {"bucket": bucket}}, version, sparse, least, tmp_path)
