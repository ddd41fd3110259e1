"""A repeated request's success is not taken at its word: what every object store is tried with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

import pytest

from udist_plugin.drivers.objects.limits import PART_MIN
from udist_plugin.drivers.objects.store import ObjectStore
from udist_plugin.errors import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.drivers.s3.fault_proxy import Faults

Store = TypeVar("Store", bound=ObjectStore)

LARGE = PART_MIN + 1
"""Bytes that take an upload in parts."""


class Stores(NamedTuple, Generic[Store]):
    """Two of one bucket or container: ``direct`` without faults."""

    store: Store
    direct: Store
    faults: Faults


def check_made(stores: Stores[Store], pattern: str, make: Callable[[Store], None]) -> None:
    """``make`` writes the object ``a`` by requests like ``pattern``; a repeated one counts only if the
    object is there."""
    stores.faults.add("failed", pattern, 1)
    make(stores.store)
    assert stores.direct.head("a").size
    stores.direct.delete(["a"])
    stores.faults.add("failed", pattern, 1)
    stores.faults.meanwhile("after", pattern, lambda: stores.direct.delete(["a"]))
    with pytest.raises(StorageUnavailable, match=r"a: .*success for a repeated request"):
        make(stores.store)


def check_deleted(stores: Stores[Store], pattern: str, *keys: str) -> None:
    """What is said to be deleted, by a repeated request like ``pattern``, and is there is deleted again."""
    for key in keys:
        stores.direct.put(key, b"x")
    stores.faults.add("failed", pattern, 1)
    stores.faults.meanwhile("after", pattern, lambda: stores.direct.put("a", b"x"))
    stores.store.delete(list(keys))
    assert list(stores.direct.objects("")) == []


def write(store: ObjectStore, size: int, mark: str = "") -> None:
    """Writes the object ``a``."""
    writer = store.writer("a", mark=mark)
    try:
        writer.write(b"x" * size)
        writer.commit()
    finally:
        writer.cancel()


MAKING_IN_PARTS: dict[str, tuple[str, Callable[[ObjectStore], None]]] = {
    "put": ("PUT .*/a", lambda store: store.put("a", b"x")),
    "put of a new object": ("PUT .*/a", lambda store: write(store, 5, "mine")),
    "upload": ("POST .*uploadId=", lambda store: write(store, LARGE)),
    "upload of a new object": ("POST .*uploadId=", lambda store: write(store, LARGE, "mine")),
    "copy": ("PUT .*/a", lambda store: store.join([store.head("source")], "a")),
    "join": ("POST .*uploadId=", lambda store: store.join([store.head("large")] * 2, "a")),
}
"""The ways to make ``a`` where uploads have parts, with the requests that make it."""


def check_made_in_parts(stores: Stores[Store], way: str) -> None:
    """See ``check_made``."""
    pattern, make = MAKING_IN_PARTS[way]
    stores.direct.put("source", b"x")
    stores.direct.put("large", b"x" * LARGE)
    check_made(stores, pattern, make)
