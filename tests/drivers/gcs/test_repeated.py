"""Where a request was repeated its success is not taken at its word: what the service holds is looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.drivers.repeated import Stores, check_deleted, check_made
from tests.drivers.s3.fault_proxy import fault_proxy
from udist_plugin.drivers.gcs import client as gcs_client
from udist_plugin.drivers.gcs.settings import Settings
from udist_plugin.drivers.gcs.store import GcsStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def stores(endpoint: str, bucket: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stores[GcsStore]]:
    monkeypatch.setattr(gcs_client, "RETRY", gcs_client.RETRY.with_delay(initial=0.01, maximum=0.1))
    direct = GcsStore(Settings(bucket))
    with fault_proxy(endpoint) as (url, faults):
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", url)
        yield Stores(GcsStore(Settings(bucket)), direct, faults)


def write_new(store: GcsStore) -> None:
    writer = store.writer("a", mark="mine")
    writer.write(b"x")
    writer.commit()


MAKING: dict[str, tuple[str, Callable[[GcsStore], None]]] = {
    "put": ("uploadType=multipart", lambda store: store.put("a", b"x")),
    "put of a new object": ("uploadType=multipart", write_new),
    "rewrite": ("rewriteTo", lambda store: store.join([store.head("source")], "a")),
    "compose": ("compose", lambda store: store.join([store.head("source")] * 2, "a")),
}


@pytest.mark.parametrize("way", MAKING)
def test_an_object_that_is_said_to_be_made_and_is_not_there(way: str, stores: Stores[GcsStore]) -> None:
    pattern, make = MAKING[way]
    stores.direct.put("source", b"x")
    check_made(stores, pattern, make)


def test_what_is_said_to_be_deleted_and_is_there_is_deleted_again(stores: Stores[GcsStore]) -> None:
    check_deleted(stores, "DELETE", "a")
