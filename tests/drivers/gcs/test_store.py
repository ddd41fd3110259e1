"""The Google Cloud Storage store against fake-gcs-server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.drivers.object_store_suite import ObjectStoreSuite
from tests.drivers.scripted import Reply, Request, scripted
from udist_plugin.drivers.gcs.keys import CHUNK_STEP
from udist_plugin.drivers.gcs.settings import Settings
from udist_plugin.drivers.gcs.store import COMPOSED_MAX, GcsStore
from udist_plugin.drivers.objects.store import StoredObject
from udist_plugin.errors import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from udist_plugin.drivers.objects.store import ObjectStore


class TestGcs(ObjectStoreSuite):
    chunk = CHUNK_STEP

    @pytest.fixture
    def store(self, bucket: str) -> ObjectStore:
        return GcsStore(Settings(bucket, chunk_size=CHUNK_STEP))

    def test_a_version_is_deleted_and_no_other(self, store: ObjectStore) -> None:
        """The fake ignores a deletion's condition; the next test looks whether it is sent, and its answer."""
        store.put("a", b"x")
        assert store.delete_version(store.head("a"))
        assert list(store.objects("")) == []


@pytest.mark.parametrize(("status", "deleted"), [(204, True), (404, True), (412, False)])
def test_a_deletion_of_a_version_has_its_condition(
    status: int, deleted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Request] = []

    def answer(request: Request) -> Reply:
        asked.append(request)
        return Reply(status)

    with scripted(answer) as url:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", url)
        store = GcsStore(Settings("b"))
        assert store.delete_version(StoredObject("a", 1, 0.0, "17")) is deleted
    assert [(each.method, "ifGenerationMatch=17" in each.target) for each in asked] == [("DELETE", True)]


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
