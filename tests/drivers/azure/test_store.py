"""The Azure store against Azurite."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NoReturn

import pytest
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import BlobClient

from tests.drivers.object_store_suite import ObjectStoreSuite
from udist_plugin.drivers.azure import blocks as azure_blocks
from udist_plugin.drivers.azure import transfers as azure_transfers
from udist_plugin.drivers.azure.settings import settings
from udist_plugin.drivers.azure.store import AzureStore
from udist_plugin.drivers.azure.transfers import BESIDE
from udist_plugin.errors import PathNotFound

if TYPE_CHECKING:
    from collections.abc import Callable

    from azure.storage.blob import ContainerClient

    from udist_plugin.drivers.objects.store import ObjectStore

PIECE = 256 << 10


class TestAzure(ObjectStoreSuite):
    chunk = PIECE

    @pytest.fixture
    def store(self, parameters: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
        monkeypatch.setattr(azure_transfers, "PIECE", PIECE)
        return AzureStore(settings(parameters)[0])


@pytest.fixture
def store(parameters: dict[str, object]) -> AzureStore:
    return AzureStore(settings(parameters)[0])


def test_what_distribution_appended_to_is_replaced(store: AzureStore, container: ContainerClient) -> None:
    """Its uploads are append blobs, which Azure lets no other replace."""
    store.put("part", b"new")
    ways: list[Callable[[], None]] = [
        lambda: store.put("a", b"new"),
        lambda: store.join([store.head("part")], "a"),
    ]
    for replace in ways:
        container.get_blob_client("a").create_append_blob()
        container.get_blob_client("a").append_block(b"old")
        with store.get("a") as content:
            assert content.read() == b"old"
        replace()
        with store.get("a") as content:
            assert content.read() == b"new"
        store.delete(["a"])


def test_a_service_that_reads_nothing_itself_is_served(
    store: AzureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> NoReturn:
        error = HttpResponseError("not implemented")
        error.status_code = 501
        raise error

    monkeypatch.setattr(azure_blocks, "PIECE", 4)
    for name in ("a", "b"):
        store.put(name, name.encode() * 10)
    sources = [store.head("a"), store.head("b")]
    monkeypatch.setattr(BlobClient, "stage_block_from_url", refuse)
    store.join(sources, "c")
    with store.get("c") as content:
        assert content.read() == b"a" * 10 + b"b" * 10
    store.put("a", b"changed")
    with pytest.raises(PathNotFound):
        store.join(sources, "d")


def test_joins_of_one_name_at_once_all_succeed(store: AzureStore) -> None:
    """The first commit throws away the blocks of the others, who then begin anew."""
    parts = []
    for number in range(3):
        store.put(f"part/{number}", b"%d" % number * 1000)
        parts.append(store.head(f"part/{number}"))
    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(store.join, [part] * 5, "whole") for part in parts]:
            done.result(60)
    assert store.head("whole").size == 5000


def test_what_a_killed_process_left_beside_a_name_is_purged(store: AzureStore) -> None:
    store.put("f/a", b"x")
    store.put(f"f/a.0123{BESIDE}", b"x")
    store.purge("f/", 3600)
    assert len(list(store.objects("f/"))) == 2
    store.purge("f/", -60)
    assert [each.key for each in store.objects("f/")] == ["f/a"]
