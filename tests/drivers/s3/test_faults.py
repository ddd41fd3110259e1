"""What becomes of requests that break: repeated where that is safe, else an error; nothing stays behind."""

from __future__ import annotations

import fcntl
import io
import json
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.drivers.s3.fault_proxy import Faults, fault_proxy
from udist_plugin.client.plugin import Plugin
from udist_plugin.drivers.objects.content import RESUMPTIONS
from udist_plugin.drivers.objects.limits import PART_MIN
from udist_plugin.drivers.s3 import connection as s3_connection
from udist_plugin.drivers.s3.settings import settings
from udist_plugin.drivers.s3.store import S3Store
from udist_plugin.errors import PathBusy, PathNotFound, StorageError, TransportError
from udist_plugin.oci.digest import Digest
from udist_plugin.remote.registry import RemoteRegistry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.drivers.s3.server import S3Server
    from udist_plugin.content import Content

CONTENT = bytes(range(256)) * 4096
LARGE = 2 * PART_MIN + 100


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("udist_plugin.drivers.objects.pauses.FIRST", 0.01)
    monkeypatch.setattr(s3_connection, "PATIENCE", 5.0)
    monkeypatch.setattr(s3_connection, "READ_TIMEOUT", 0.5)


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


def read(content: Content) -> bytes:
    return content.read()


def spliced(content: Content) -> bytes:
    """What the kernel moves of it, piece by piece."""
    assert content.spliceable
    source, sink = os.pipe()
    pieces = []
    with open(source, "rb") as pipe, open(sink, "wb"):
        while count := content.splice(sink, content.size):
            pieces.append(pipe.read(count))
    return b"".join(pieces)


@pytest.mark.parametrize("take", [read, spliced])
@pytest.mark.parametrize("fault", ["cut", "halted"])
def test_a_content_that_breaks_off_goes_on_there(
    take: Callable[[Content], bytes], fault: str, minio_server: S3Server
) -> None:
    with faulty(minio_server) as (store, faults):
        store.put("a", CONTENT * 2)
        faults.add(fault, "GET .*/a", RESUMPTIONS)
        with store.get("a", 10) as content:
            assert take(content) == (CONTENT * 2)[10:]
        assert len([each for each in faults.requests if each.endswith("/a")]) == 1 + 1 + RESUMPTIONS
        faults.add(fault, "GET .*/a")
        with store.get("a") as content, pytest.raises(StorageError, match="broke off at byte"):
            take(content)


@pytest.mark.parametrize("take", [read, spliced])
def test_a_content_that_breaks_off_does_not_go_on_with_another(
    take: Callable[[Content], bytes], minio_server: S3Server
) -> None:
    with faulty(minio_server) as (store, faults):
        store.put("a", CONTENT)
        faults.add("cut", "GET .*/a", 1)
        with store.get("a") as content:
            store.put("a", CONTENT[::-1])
            with pytest.raises(StorageError):
                take(content)


def test_a_range_is_moved_by_the_kernel_to_its_end_and_no_further(minio_server: S3Server) -> None:
    with faulty(minio_server) as (store, _):
        store.put("a", CONTENT * 3)
        end = 2 * len(CONTENT) + 7
        with store.get("a", 5, end) as content:
            assert spliced(content) == (CONTENT * 3)[5:end]
            assert (content.size, content.read()) == (0, b"")


def test_the_kernel_moves_what_comes_in_drops(minio_server: S3Server) -> None:
    with faulty(minio_server) as (store, _):
        store.put("a", CONTENT)
        source, sink = os.pipe()
        fcntl.fcntl(sink, fcntl.F_SETPIPE_SZ, 4096)  # as where the user's budget is used up
        with store.get("a") as content, open(source, "rb") as pipe, open(sink, "wb"):
            taken = b"".join(pipe.read(count) for count in iter(lambda: content.splice(sink, 1 << 20), 0))
        assert taken == CONTENT


def test_a_lost_answer_does_not_make_a_new_object_another_s(minio_server: S3Server) -> None:
    with faulty(minio_server) as (store, faults):
        writer = store.writer("a", mark="mine")
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
            writer = store.writer(name, mark="mine")
            writer.write(b"first")
            writer.commit()
        again = store.writer("a", mark="other" if new else "")
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


def test_a_pull_goes_on_where_its_store_broke_off(minio_server: S3Server) -> None:
    with fault_proxy(minio_server.url) as (url, faults):
        parameters = minio_server.parameters(minio_server.bucket(), regionendpoint=url)
        with Plugin(json.dumps({"version": 0.1, "storage": {"s3": parameters}}), {}) as plugin:
            registry = RemoteRegistry(plugin)
            digest = Digest.of(CONTENT * 5)
            registry.push_blob("a", digest, io.BytesIO(CONTENT * 5))
            faults.add("cut", "GET .*/data", RESUMPTIONS)
            with registry.open_blob("a", digest) as content:
                assert content.read() == CONTENT * 5
            faults.add("cut", "GET .*/data")
            with (
                pytest.raises(TransportError, match="the store failed"),
                registry.open_blob("a", digest) as content,
            ):
                content.read()
