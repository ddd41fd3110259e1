"""The store of S3's objects, against MinIO and versitygw."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.storage.object_store_suite import ObjectStoreSuite
from udist_plugin.storage.drivers.s3 import PART_MIN, settings
from udist_plugin.storage.drivers.s3_store import S3Store

if TYPE_CHECKING:
    from tests.storage.servers import S3Server
    from udist_plugin.storage.drivers.object_store import ObjectStore

PATHS_OF_A_FOLDER = "its keys are paths of a folder, where none stands below a file"


class TestMinio(ObjectStoreSuite):
    chunk = PART_MIN

    @pytest.fixture
    def store(self, minio_server: S3Server) -> ObjectStore:
        return opened(minio_server)


class TestVersitygw(ObjectStoreSuite):
    chunk = PART_MIN

    @pytest.fixture
    def store(self, versitygw_server: S3Server) -> ObjectStore:
        return opened(versitygw_server)

    @pytest.mark.skip(PATHS_OF_A_FOLDER)
    def test_objects_come_in_order(self, store: ObjectStore) -> None:
        pass

    @pytest.mark.skip(PATHS_OF_A_FOLDER)
    def test_names_are_told_once_and_in_order(self, store: ObjectStore) -> None:
        pass


def opened(server: S3Server) -> S3Store:
    found, _ = settings(server.parameters(server.bucket(), chunksize=PART_MIN))
    return S3Store(found)
