"""The driver over fsspec: the suite of all drivers, on a real sshd and in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from tests.drivers.sections import section
from udist_plugin.drivers import open_driver
from udist_plugin.storage import paths
from udist_plugin.testing.storage_driver import StorageDriverSuite

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.drivers.fsspec.conftest import SftpServer
    from udist_plugin.drivers.base import StorageDriver


class TestMemory(StorageDriverSuite):
    @pytest.fixture
    def driver(self) -> Iterator[StorageDriver]:
        parameters = section("fsspec", {"url": f"memory://{uuid4()}"})
        driver = open_driver("fsspec", parameters, scratch=paths.SCRATCH)
        yield driver
        driver.close()


class TestLocal(StorageDriverSuite):
    @pytest.fixture
    def driver(self, tmp_path: Path) -> Iterator[StorageDriver]:
        parameters = section("fsspec", {"url": f"file://{tmp_path}/not/made"})
        driver = open_driver("fsspec", parameters, scratch=paths.SCRATCH)
        yield driver
        driver.close()


class TestSftp(StorageDriverSuite):
    @pytest.fixture
    def driver(self, sftp: SftpServer, tmp_path: Path) -> Iterator[StorageDriver]:
        parameters = section("fsspec", sftp.section(tmp_path / "not" / "made"))
        driver = open_driver("fsspec", parameters, scratch=paths.SCRATCH)
        yield driver
        driver.close()
