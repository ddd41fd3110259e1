"""What becomes of a request whose answer is lost, or whose success is reported after a repetition."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.drivers.lost_answers import take_no_segment_of_another
from tests.drivers.repeated import (
    MAKING_IN_PARTS,
    Stores,
    check_deleted,
    check_made_in_parts,
)
from tests.drivers.s3.fault_proxy import fault_proxy
from udist_plugin.drivers.objects import pauses
from udist_plugin.drivers.objects.content import RESUMPTIONS
from udist_plugin.drivers.objects.limits import PART_MIN
from udist_plugin.drivers.oss.driver import OssDriver
from udist_plugin.drivers.oss.settings import settings
from udist_plugin.drivers.oss.store import OssStore
from udist_plugin.errors import StorageError, StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.drivers.oss.server import OssServer
    from tests.drivers.s3.fault_proxy import Faults


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pauses, "FIRST", 0.001)


@pytest.fixture
def faults(server: OssServer) -> Iterator[Faults]:
    """Before the server, which then is asked through them by whoever is given its parameters."""
    direct = server.url
    with fault_proxy(direct.replace("localhost", "127.0.0.1")) as (url, faults):
        server.url = url.replace("127.0.0.1", "localhost")
        yield faults


@pytest.fixture
def stores(server: OssServer, request: pytest.FixtureRequest) -> Stores[OssStore]:
    direct = OssStore(settings(server.parameters(chunksize=PART_MIN))[0])
    faults: Faults = request.getfixturevalue("faults")
    return Stores(OssStore(settings(server.parameters(chunksize=PART_MIN))[0]), direct, faults)


def driver(server: OssServer) -> OssDriver:
    return OssDriver(*OssDriver.open_store(server.parameters(chunksize=PART_MIN)))


@pytest.mark.parametrize(
    ("size", "pattern"), [(5, "PUT .*segment"), (PART_MIN + 1, "POST .*segment.*uploadId=")]
)
def test_a_segment_is_known_for_one_s_own(size: int, pattern: str, server: OssServer, faults: Faults) -> None:
    found = driver(server)
    faults.add("lost", pattern, 1)
    with found.writer("/a", append=True) as writer:
        writer.write(b"x" * size)
    assert writer.size == size
    with found.appended("/a") as content:
        assert content.size == size


def test_a_segment_of_another_is_not(server: OssServer, faults: Faults) -> None:
    take_no_segment_of_another(driver(server), faults, "PUT .*segment")


@pytest.mark.parametrize("way", MAKING_IN_PARTS)
def test_an_object_that_is_said_to_be_made_and_is_not_there(way: str, stores: Stores[OssStore]) -> None:
    check_made_in_parts(stores, way)


@pytest.mark.parametrize("count", [1, 2])
def test_what_is_said_to_be_deleted_and_is_there_is_deleted_again(
    count: int, stores: Stores[OssStore]
) -> None:
    check_deleted(stores, "DELETE" if count == 1 else r"POST .*\?delete", *["a", "b"][:count])


@pytest.mark.parametrize("fault", ["refused", "throttled", "failed"])
def test_what_fails_in_passing_is_repeated(fault: str, stores: Stores[OssStore]) -> None:
    stores.faults.add(fault, ".*", 1)
    stores.store.put("a", b"x")
    assert len(stores.faults.requests) > 1
    assert stores.direct.head("a").size == 1


def test_what_fails_for_long_is_said_after_a_while(
    stores: Stores[OssStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stores.store._client, "patience", 0.05)
    stores.faults.add("failed", ".*", 1 << 30)
    with pytest.raises(StorageUnavailable):
        stores.store.put("a", b"x")
    assert len(stores.faults.requests) > 1


def test_a_content_cut_short_goes_on_where_it_broke_off(stores: Stores[OssStore]) -> None:
    stores.direct.put("a", b"0123456789" * 100_000)
    stores.faults.add("cut", "GET .*/a", 1)
    with stores.store.get("a", 3) as content:
        assert content.read() == (b"0123456789" * 100_000)[3:]
    stores.faults.add("cut", "GET .*/a", 1 << 30)
    with stores.store.get("a") as content, pytest.raises(StorageError, match="a: the transfer broke off"):
        content.read()
    assert len([each for each in stores.faults.requests if each.endswith("/a")]) == 2 + 1 + RESUMPTIONS
