"""The Google Cloud Storage store against fake-gcs-server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.storage.object_store_suite import ObjectStoreSuite
from udist_plugin.drivers.gcs.keys import CHUNK_STEP
from udist_plugin.drivers.gcs.settings import Settings
from udist_plugin.drivers.gcs.store import COMPOSED_MAX, GcsStore
from udist_plugin.errors import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from udist_plugin.drivers.objects.store import ObjectStore


class TestGcs(ObjectStoreSuite):
    chunk = CHUNK_STEP

    @pytest.fixture
    def store(self, bucket: str) -> ObjectStore:
        return GcsStore(Settings(bucket, chunk_size=CHUNK_STEP))


def test_a_join_whose_leftovers_stay_is_one(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are purged with the upload they stand beside."""

    def refuse(_: GcsStore, keys: Sequence[str]) -> None:
        assert all(key.startswith("part/joined-") for key in keys)
        raise StorageUnavailable("slow down")

    store = GcsStore(Settings(bucket))
    store.put("part/a", b"x")
    monkeypatch.setattr(GcsStore, "delete", refuse)
    store.join([store.head("part/a")] * (COMPOSED_MAX + 1), "whole")
    assert store.head("whole").size == COMPOSED_MAX + 1
