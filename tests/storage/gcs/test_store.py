"""The Google Cloud Storage store against fake-gcs-server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.storage.object_store_suite import ObjectStoreSuite
from udist_plugin.storage.drivers.gcs import CHUNK_STEP, Settings
from udist_plugin.storage.drivers.gcs_store import GcsStore

if TYPE_CHECKING:
    from udist_plugin.storage.drivers.object_store import ObjectStore


class TestGcs(ObjectStoreSuite):
    chunk = CHUNK_STEP

    @pytest.fixture
    def store(self, bucket: str) -> ObjectStore:
        return GcsStore(Settings(bucket, chunk_size=CHUNK_STEP))
