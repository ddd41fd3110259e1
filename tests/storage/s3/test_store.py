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


class TestS3(ObjectStoreSuite):
    chunk = PART_MIN

    @pytest.fixture
    def store(self, server: S3Server) -> ObjectStore:
        found, _ = settings(server.parameters(server.bucket(), chunksize=PART_MIN))
        return S3Store(found)
