"""Where a request was repeated its success is not taken at its word: what the service holds is looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.drivers.lost_answers import take_no_segment_of_another
from tests.drivers.repeated import Stores, check_deleted, check_made
from tests.drivers.s3.fault_proxy import fault_proxy
from udist_plugin.drivers.swift import transfers as swift_transfers
from udist_plugin.drivers.swift.driver import SwiftDriver
from udist_plugin.drivers.swift.settings import settings
from udist_plugin.drivers.swift.store import SwiftStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CHUNK = 1000


@pytest.fixture
def stores(swift_server: str, parameters: dict[str, object]) -> Iterator[Stores[SwiftStore]]:
    given = {**parameters, "chunksize": CHUNK}
    direct = SwiftStore(settings(given)[0])
    with fault_proxy(swift_server) as (url, faults):
        store = SwiftStore(settings({**given, "authurl": f"{url}/auth/v1.0"})[0])
        yield Stores(store, direct, faults)


def write(store: SwiftStore, size: int, mark: str = "") -> None:
    writer = store.writer("a", mark=mark)
    writer.write(b"x" * size)
    writer.commit()


def join(store: SwiftStore) -> None:
    store.join([store.head("source")], "a")


MAKING: dict[str, tuple[str, Callable[[SwiftStore], None]]] = {
    "put": ("PUT .*/a$", lambda store: store.put("a", b"x")),
    "put of a new object": ("PUT .*/a$", lambda store: write(store, 5, "mine")),
    "manifest": ("PUT .*/a[?]multipart-manifest", lambda store: write(store, 2 * CHUNK)),
    "manifest of a new object": ("PUT .*/a[?]multipart", lambda store: write(store, 2 * CHUNK, "mine")),
    "copy": ("PUT .*/a[?]multipart-manifest", join),
}


@pytest.mark.parametrize("way", MAKING)
def test_an_object_that_is_said_to_be_made_and_is_not_there(
    way: str, stores: Stores[SwiftStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(swift_transfers, "CARRIED_MAX", 1)
    pattern, make = MAKING[way]
    stores.direct.put("source", b"x")
    check_made(stores, pattern, make)


def test_what_is_said_to_be_deleted_and_is_there_is_deleted_again(stores: Stores[SwiftStore]) -> None:
    check_deleted(stores, "DELETE .*/a$", "a")


@pytest.mark.parametrize("fault", ["failed", "throttled", "refused", "lost", "cut"])
def test_every_request_is_repeated(
    fault: str, stores: Stores[SwiftStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(swift_transfers, "CARRIED_MAX", 1)
    stores.faults.each_once(fault)
    write(stores.store, 3 * CHUNK)
    stores.store.join([stores.store.head("a")], "b")
    with stores.store.get("b") as content:
        assert content.read() == b"x" * 3 * CHUNK
    assert [each.key for each in stores.store.objects("")] == ["a", "b"]
    stores.store.delete(["a", "b"])
    assert list(stores.direct.objects("")) == []


@pytest.fixture
def faulty(stores: Stores[SwiftStore]) -> SwiftDriver:
    return SwiftDriver(stores.store, "files/")


@pytest.mark.parametrize(
    ("size", "pattern"), [(5, "PUT .*/files/a/"), (2 * CHUNK, "PUT .*/files/a/.*[?]multipart-manifest")]
)
def test_a_segment_is_known_for_one_s_own(
    size: int, pattern: str, faulty: SwiftDriver, stores: Stores[SwiftStore]
) -> None:
    """The answer to its commit is lost; repeated, that is refused."""
    stores.faults.add("lost", pattern, 1)
    with faulty.writer("/a", append=True) as writer:
        writer.write(b"x" * size)
    assert writer.size == size
    with faulty.appended("/a") as content:
        assert content.read() == b"x" * size


def test_a_segment_of_another_is_not(stores: Stores[SwiftStore]) -> None:
    take_no_segment_of_another(SwiftDriver(stores.store), stores.faults, "PUT .*segment")
