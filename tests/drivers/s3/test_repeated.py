"""Where a request was repeated its success is not taken at its word: what the service holds is looked at."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.drivers.processes import free_port
from tests.drivers.repeated import (
    LARGE,
    MAKING_IN_PARTS,
    Stores,
    check_deleted,
    check_made_in_parts,
    write,
)
from tests.drivers.s3.fault_proxy import fault_proxy
from udist_plugin.drivers.objects import pauses
from udist_plugin.drivers.objects.limits import PART_MIN
from udist_plugin.drivers.objects.tree import Tree
from udist_plugin.drivers.s3 import connection as s3_connection
from udist_plugin.drivers.s3.driver import S3Driver
from udist_plugin.drivers.s3.settings import settings
from udist_plugin.drivers.s3.store import S3Store
from udist_plugin.errors import StorageError, StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.drivers.s3.server import S3Server


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pauses, "FIRST", 0.001)


@pytest.fixture
def stores(server: S3Server) -> Iterator[Stores[S3Store]]:
    values = server.parameters(server.bucket(), chunksize=PART_MIN)
    with fault_proxy(server.url) as (url, faults):
        store = S3Store(settings({**values, "regionendpoint": url})[0])
        yield Stores(store, S3Store(settings(values)[0]), faults)
        store.client.close()


@pytest.mark.parametrize("way", MAKING_IN_PARTS)
def test_an_object_that_is_said_to_be_made_and_is_not_there(way: str, stores: Stores[S3Store]) -> None:
    check_made_in_parts(stores, way)


def test_an_object_that_was_there_before_is_not_the_new_one(stores: Stores[S3Store]) -> None:
    stores.direct.put("a", b"old")
    stores.faults.add("failed", "PUT .*/a", 1)
    stores.faults.meanwhile("after", "PUT .*/a", lambda: stores.direct.put("a", b"old"))
    with pytest.raises(StorageUnavailable):
        stores.store.put("a", b"new")


@pytest.mark.parametrize("count", [1, 2])
def test_what_is_said_to_be_deleted_and_is_there_is_deleted_again(
    count: int, stores: Stores[S3Store]
) -> None:
    check_deleted(stores, "DELETE" if count == 1 else r"POST .*\?delete", *["a", "b"][:count])


def test_a_version_that_is_said_to_be_deleted_and_is_there_is_deleted_again(stores: Stores[S3Store]) -> None:
    stores.direct.put("a", b"x")
    found = stores.direct.head("a")
    stores.faults.add("failed", "DELETE", 1)
    stores.faults.meanwhile("after", "DELETE", lambda: stores.direct.put("a", b"x"))
    assert stores.store.delete_version(found)
    assert list(stores.direct.objects("")) == []


@pytest.mark.parametrize("mark", ["", "mine"])
def test_another_s_object_is_not_an_upload_s_that_is_gone(mark: str, stores: Stores[S3Store]) -> None:
    """versitygw says that an upload it does not know is complete, if any object stands there."""
    pattern = "POST .*uploadId="

    def replace() -> None:
        abort_all(stores.direct)
        stores.direct.put("a", b"t" * LARGE)

    stores.faults.add("failed", pattern, 1)
    stores.faults.meanwhile("before", pattern, replace)
    with pytest.raises(StorageError):
        write(stores.store, LARGE, mark)
    with stores.direct.get("a", 0, 3) as content:
        assert content.read() == b"ttt"


def test_another_s_segment_of_the_same_size_is_not_one_s_own(stores: Stores[S3Store]) -> None:
    pattern = "POST .*segment.*uploadId="
    key = Tree(stores.direct).segment_key("/a", 0)

    def replace() -> None:
        abort_all(stores.direct)
        stores.direct.put(key, b"t" * LARGE)

    writer = S3Driver(stores.store).writer("/a", append=True)
    writer.write(b"x" * LARGE)
    stores.faults.add("failed", pattern, 1)
    stores.faults.meanwhile("before", pattern, replace)
    with pytest.raises(StorageError):
        writer.close()
    assert writer.size == 0


def abort_all(store: S3Store) -> None:
    """Aborts every upload, as one that takes too long is."""
    for each in store.client.list_multipart_uploads(Bucket=store.bucket, Prefix="a").get("Uploads", ()):
        store.client.abort_multipart_upload(Bucket=store.bucket, Key=each["Key"], UploadId=each["UploadId"])


def test_a_store_that_comes_back_is_waited_for(server: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens until ten requests were refused."""
    port, refused = free_port(), 0
    go_on = pauses.Pauses.next
    with ExitStack() as running:

        def count(self: pauses.Pauses) -> float | None:
            nonlocal refused
            refused += 1
            if refused == 10:
                running.enter_context(fault_proxy(server.url, port))
            return go_on(self)

        monkeypatch.setattr(pauses.Pauses, "next", count)
        values = server.parameters(server.bucket(), regionendpoint=f"http://127.0.0.1:{port}")
        store = S3Store(settings(values)[0])
        store.put("a", b"x")
        assert refused == 10
        assert store.head("a").size == 1
        store.client.close()


def test_a_store_that_stays_away_is_not_waited_for_without_end(
    refusing: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3_connection, "PATIENCE", 0.5)
    keys = {"accesskey": "id", "secretkey": "secret"}
    store = S3Store(settings({"bucket": "b", "regionendpoint": f"http://{refusing()}", **keys})[0])
    begun = time.monotonic()
    with pytest.raises(StorageUnavailable, match="connect"):
        store.put("a", b"x")
    assert 0.4 < time.monotonic() - begun < 10
