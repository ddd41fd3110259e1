"""A repeated request's success is not taken at its word: what every object store is tried with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

import pytest

from udist_plugin.drivers.objects.store import ObjectStore
from udist_plugin.errors import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.drivers.s3.fault_proxy import Faults

Store = TypeVar("Store", bound=ObjectStore)


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
