"""The store of S3's objects, against MinIO and versitygw."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from tests.drivers.object_store_suite import ObjectStoreSuite
from udist_plugin.drivers.objects.limits import PART_MIN
from udist_plugin.drivers.s3.client import CoreSession
from udist_plugin.drivers.s3.settings import settings
from udist_plugin.drivers.s3.store import S3Store
from udist_plugin.drivers.s3.times import read_times

if TYPE_CHECKING:
    from tests.drivers.s3.server import S3Server
    from udist_plugin.drivers.objects.store import ObjectStore


class Suite(ObjectStoreSuite):
    """Neither server keeps one key below another's object: what they have are files in folders."""

    chunk = PART_MIN
    lists_md5 = True

    def test_objects_come_in_order(self, store: ObjectStore) -> None:
        keys = ["f/a-b", "f/a/b", "f/a/c", "f/b", "fa", "g"]
        for key in reversed(keys):
            store.put(key, key.encode())
        assert [each.key for each in store.objects("")] == keys
        assert [each.key for each in store.objects("f/")] == keys[:4]
        assert [each.key for each in store.objects("f/", after="f/a-b")] == keys[1:4]
        assert [each.key for each in store.objects("f/", after="f/a/b")] == keys[2:4]
        assert [each.key for each in store.objects("nothing")] == []
        found = next(iter(store.objects("f/b")))
        assert found._replace(md5="") == store.head("f/b")
        assert found.md5 == (hashlib.md5(b"f/b", usedforsecurity=False).hexdigest() if self.lists_md5 else "")

    def test_names_are_told_once_and_in_order(self, store: ObjectStore) -> None:
        for key in ["f/a/b", "f/a/c", "f/a-b/x", "f/a.b/x", "f/b", "f/c/d/e", "fa"]:
            store.put(key, b"x")
        assert list(store.names("f/")) == ["a", "a-b", "a.b", "b", "c"]
        assert list(store.names("f/", after="a")) == ["a-b", "a.b", "b", "c"]
        assert list(store.names("")) == ["f", "fa"]
        assert list(store.names("f/c/")) == ["d"]
        assert list(store.names("nothing/")) == []


class TestMinio(Suite):
    @pytest.fixture
    def store(self, minio_server: S3Server) -> ObjectStore:
        return opened(minio_server)

    def test_a_version_is_deleted_and_no_other(self, store: ObjectStore) -> None:
        """It ignores the condition, so between a look at a tag and its deletion a moment remains."""
        store.put("a", b"old")
        old = store.head("a")
        store.put("a", b"new")
        assert store.delete_version(old)
        assert list(store.objects("")) == []


class TestVersitygw(Suite):
    @pytest.fixture
    def store(self, versitygw_server: S3Server) -> ObjectStore:
        return opened(versitygw_server)


def opened(server: S3Server) -> S3Store:
    found, _ = settings(server.parameters(server.bucket(), chunksize=PART_MIN))
    return S3Store(found)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-11-25T21:40:17Z", 1795642817.0),
        ("2026-11-25T21:40:17.5Z", 1795642817.5),
        ("2026-11-25T21:40:17.123456789Z", 1795642817.123456),
        ("2026-11-25T23:40:17+02:00", 1795642817.0),
        ("Wed, 25 Nov 2026 21:40:17 GMT", 1795642817.0),
    ],
)
def test_times_of_every_service_are_read(text: str, seconds: float) -> None:
    core = CoreSession()
    read_times(core)
    parser = core.get_component("response_parser_factory").create_parser("rest-xml")
    model = core.get_service_model("s3").operation_model("ListObjectsV2").output_shape
    body = f"<Result><Contents><LastModified>{text}</LastModified></Contents></Result>".encode()
    answer = parser.parse({"body": body, "headers": {}, "status_code": 200}, model)
    assert answer["Contents"][0]["LastModified"].timestamp() == seconds
