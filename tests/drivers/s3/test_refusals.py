"""A refusal of what was allowed before is tried again; one of what was not is told at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.drivers.s3.fault_proxy import Faults, fault_proxy
from udist_plugin.drivers.objects.limits import PART_MIN
from udist_plugin.drivers.s3.refusals import WAITS
from udist_plugin.drivers.s3.settings import settings
from udist_plugin.drivers.s3.store import S3Store
from udist_plugin.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.drivers.s3.server import S3Server


@pytest.fixture
def faulty(server: S3Server) -> Iterator[tuple[S3Store, Faults]]:
    with fault_proxy(server.url) as (url, faults):
        values = server.parameters(server.bucket(), regionendpoint=url, chunksize=PART_MIN)
        yield S3Store(settings(values)[0]), faults


def test_a_put_after_one_that_was_allowed(faulty: tuple[S3Store, Faults]) -> None:
    store, faults = faulty
    store.put("a", b"1")
    faults.add("denied", "^PUT", len(WAITS))
    store.put("b", b"2")
    assert store.get("b").read() == b"2"
    assert len([each for each in faults.requests if each.startswith("PUT")]) == len(WAITS) + 2


def test_it_ends_with_what_the_denial_says(faulty: tuple[S3Store, Faults]) -> None:
    store, faults = faulty
    store.put("a", b"1")
    faults.add("denied", "^PUT")
    with pytest.raises(StorageError, match=f"grant .*bucket {store.bucket}, s3:PutObject"):
        store.put("b", b"2")
    assert len([each for each in faults.requests if each.startswith("PUT")]) == len(WAITS) + 2


def test_a_list_after_the_probe(faulty: tuple[S3Store, Faults]) -> None:
    store, faults = faulty
    store.probe()
    faults.add("denied", "list-type=2", 1)
    assert list(store.objects("")) == []


def test_parts_after_the_upload_was_begun(faulty: tuple[S3Store, Faults]) -> None:
    store, faults = faulty
    faults.add("denied", "PUT .*partNumber=1", 1)
    writer = store.writer("a")
    writer.write(b"x" * (PART_MIN + 1))
    writer.commit()
    assert store.head("a").size == PART_MIN + 1


def test_what_was_never_allowed_is_told_at_once(faulty: tuple[S3Store, Faults]) -> None:
    store, faults = faulty
    store.probe()
    faults.add("denied", "^PUT", 1)
    with pytest.raises(StorageError, match="s3:PutObject"):
        store.put("a", b"1")
    assert len([each for each in faults.requests if each.startswith("PUT")]) == 1
