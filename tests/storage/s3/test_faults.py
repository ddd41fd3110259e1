"""What becomes of requests that break: repeated where that is safe, else an error; nothing stays behind."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.storage.s3.fault_proxy import Faults, fault_proxy
from udist_plugin.errors import PathBusy, PathNotFound, StorageError
from udist_plugin.storage.drivers import s3_client
from udist_plugin.storage.drivers.s3 import settings
from udist_plugin.storage.drivers.s3_join import PART_MIN
from udist_plugin.storage.drivers.s3_store import S3Store
from udist_plugin.storage.drivers.s3_transfers import RESUMPTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.storage.servers import S3Server

CONTENT = bytes(range(256)) * 4096
LARGE = 2 * PART_MIN + 100


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0.01)
    monkeypatch.setattr(s3_client, "READ_TIMEOUT", 0.5)


@contextmanager
def faulty(server: S3Server) -> Iterator[tuple[S3Store, Faults]]:
    """A store of a new bucket, behind the proxy."""
    with fault_proxy(server.url) as (url, faults):
        found, _ = settings(server.parameters(server.bucket(), chunksize=PART_MIN, regionendpoint=url))
        store = S3Store(found)
        try:
            yield store, faults
        finally:
            store.client.close()


def uploads(store: S3Store) -> list[str]:
    """The keys of all uploads under way."""
    return [
        each["Key"] for each in store.client.list_multipart_uploads(Bucket=store.bucket).get("Uploads", ())
    ]


@pytest.mark.parametrize("fault", ["failed", "refused", "lost", "stalled"])
def test_what_breaks_once_is_repeated(fault: str, minio_server: S3Server) -> None:
    with faulty(minio_server) as (store, faults):
        faults.each_once(fault)
        store.put("a/small", CONTENT)
        writer = store.writer("a/large")
        writer.write(b"x" * LARGE)
        writer.commit()
        store.join([store.head("a/small"), store.head("a/large")], "a/joined")
        with store.get("a/joined") as content:
            assert content.read() == CONTENT + b"x" * LARGE
        assert [each.key for each in store.objects("a/")] == ["a/joined", "a/large", "a/small"]
        assert list(store.names("")) == ["a"]
        store.delete(["a/joined"])
        store.delete(["a/large", "a/small"])
        assert list(store.objects("")) == []
        faults.clear()
        store.purge("a/", -60)  # an upload was begun twice where only its answer was lost
        assert uploads(store) == []


def test_a_service_that_is_busy_is_asked_again(minio_server: S3Server) -> None:
    with faulty(minio_server) as (store, faults):
        faults.add("throttled", "partNumber=2", 2)
        writer = store.writer("a")
        writer.write(b"x" * LARGE)
        writer.commit()
        assert store.head("a").size == LARGE
        assert len([each for each in faults.requests if "partNumber=2" in each]) == 3


def test_a_content_that_is_cut_goes_on_where_it_broke_off(minio_server: S3Server) -> None:
    with faulty(minio_server) as (store, faults):
        store.put("a", CONTENT)
        faults.add("cut", "GET .*/a", RESUMPTIONS)
        with store.get("a", 10) as content:
            assert content.read() == CONTENT[10:]
        assert len([each for each in faults.requests if each.endswith("/a")]) == 1 + 1 + RESUMPTIONS
        faults.add("cut", "GET .*/a")
        with store.get("a") as content, pytest.raises(StorageError, match="cut short at byte"):
            content.read()


def test_a_content_that_is_cut_does_not_go_on_with_another(minio_server: S3Server) -> None:
    with faulty(minio_server) as (store, faults):
        store.put("a", CONTENT)
        faults.add("cut", "GET .*/a", 1)
        with store.get("a") as content:
            content.read(1)
            store.put("a", CONTENT[::-1])
            with pytest.raises(StorageError):
                content.read()


def test_a_lost_answer_does_not_make_a_new_object_another_s(minio_server: S3Server) -> None:
    with faulty(minio_server) as (store, faults):
        writer = store.writer("a", new=True)
        writer.write(b"x" * LARGE)
        faults.add("lost", "POST .*uploadId=", 1)
        writer.commit()
        assert store.head("a").size == LARGE


@pytest.mark.parametrize("new", [False, True])
def test_services_without_conditions_are_asked_first(new: bool, minio_server: S3Server) -> None:
    with faulty(minio_server) as (store, _):

        def unconditional(**_: object) -> None:
            raise store.client.exceptions.ClientError({"Error": {"Code": "NotImplemented"}}, "PutObject")

        store.client.meta.events.register(
            "before-parameter-build.s3.PutObject",
            lambda params, **_: unconditional() if "IfNoneMatch" in params else None,
        )
        for name in ("a", "b"):
            writer = store.writer(name, new=True)
            writer.write(b"first")
            writer.commit()
        again = store.writer("a", new=new)
        again.write(b"second")
        if new:
            with pytest.raises(PathBusy):
                again.commit()
        else:
            again.commit()
        assert store.head("a").size == (5 if new else 6)


@pytest.mark.parametrize(
    "pattern", ["PUT .*partNumber=2", "POST .*uploadId=", "POST .*uploads"], ids=["part", "complete", "start"]
)
def test_what_stays_broken_is_an_error_and_leaves_nothing(pattern: str, minio_server: S3Server) -> None:
    with faulty(minio_server) as (store, faults):
        faults.add("failed", pattern)
        faults.add("failed", "DELETE")
        writer = store.writer("a/b")
        with pytest.raises(StorageError, match="InternalError"):
            writer.write(b"x" * LARGE)
            writer.commit()
        writer.cancel()
        faults.clear()
        with pytest.raises(PathNotFound):
            store.head("a/b")
        began = [] if "uploads" in pattern else ["a/b"]
        store.purge("a/", 3600)
        store.purge("b/", -60)
        assert uploads(store) == began
        store.purge("a/", -60)
        assert uploads(store) == []


def test_a_join_that_breaks_leaves_nothing(minio_server: S3Server) -> None:
    with faulty(minio_server) as (store, faults):
        writer = store.writer("a")
        writer.write(b"x" * LARGE)
        writer.commit()
        faults.add("failed", "PUT .*/whole.*partNumber=1")
        with pytest.raises(StorageError, match="InternalError"):
            store.join([store.head("a")] * 2, "whole")
        assert uploads(store) == []
        assert [each.key for each in store.objects("")] == ["a"]
