"""Where a request was repeated its success is not taken at its word: what the service holds is looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.drivers.repeated import Stores, check_deleted, check_made
from tests.drivers.s3.fault_proxy import fault_proxy
from udist_plugin.drivers.azure import transfers as azure_transfers
from udist_plugin.drivers.azure.settings import settings
from udist_plugin.drivers.azure.store import AzureStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PIECE = 1000


@pytest.fixture
def stores(
    azurite_server: str, parameters: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Stores[AzureStore]]:
    monkeypatch.setattr(azure_transfers, "PIECE", PIECE)
    direct = AzureStore(settings(parameters)[0])
    parts = urlsplit(azurite_server)
    with fault_proxy(f"{parts.scheme}://{parts.netloc}") as (url, faults):
        given = {**parameters, "serviceurl": f"{url}{parts.path}", "retry_delay": 0.001}
        yield Stores(AzureStore(settings(given)[0]), direct, faults)


def write(store: AzureStore, size: int, mark: str = "") -> None:
    writer = store.writer("a", mark=mark)
    writer.write(b"x" * size)
    writer.commit()


MAKING: dict[str, tuple[str, Callable[[AzureStore], None]]] = {
    "put": ("PUT .*/a($|[?])", lambda store: store.put("a", b"x")),
    "put of a new object": ("PUT .*/a($|[?])", lambda store: write(store, 5, "mine")),
    "blocks": ("PUT .*/a[?].*comp=blocklist", lambda store: write(store, 2 * PIECE)),
    "blocks of a new object": ("PUT .*comp=blocklist", lambda store: write(store, 2 * PIECE, "mine")),
    "join": ("PUT .*comp=blocklist", lambda store: store.join([store.head("source")] * 2, "a")),
}


@pytest.mark.parametrize("way", MAKING)
def test_an_object_that_is_said_to_be_made_and_is_not_there(way: str, stores: Stores[AzureStore]) -> None:
    pattern, make = MAKING[way]
    stores.direct.put("source", b"x")
    check_made(stores, pattern, make)


def test_what_is_said_to_be_deleted_and_is_there_is_deleted_again(stores: Stores[AzureStore]) -> None:
    check_deleted(stores, "comp=batch", "a")


def test_a_new_object_is_made_where_a_dead_writer_left_blocks(stores: Stores[AzureStore]) -> None:
    """Azurite takes them for an object when a whole one is put there on condition that there is none."""
    for size in (5, 2 * PIECE):
        left = stores.direct.writer("a", mark="dead")
        left.write(b"d" * (2 * PIECE + 1))
        left._wait(0)  # type: ignore[attr-defined]
        write(stores.store, size, "mine")
        found = stores.direct.head("a")
        assert (found.size, found.mark) == (size, "mine")
        stores.direct.delete(["a"])


@pytest.mark.parametrize("names", [False, True])
def test_a_list_begins_behind_what_was_listed(stores: Stores[AzureStore], names: bool) -> None:
    for number in range(4):
        stores.direct.put(f"f/{number}", b"")
    if names:
        assert list(stores.store.names("f/", after="1")) == ["2", "3"]
    else:
        assert [each.key for each in stores.store.objects("f/", after="f/1")] == ["f/2", "f/3"]
    assert [each for each in stores.faults.requests if "startFrom=f%2F1" in each or "startFrom=f/1" in each]
