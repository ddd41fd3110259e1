"""Garbage collection of large objects: the segments move, and go, with their blob."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from tests.storage.samples import push_image, read_blob
from tests.storage.test_collection import Store
from udist_plugin.drivers import open_driver
from udist_plugin.oci.digest import Digest
from udist_plugin.storage import paths
from udist_plugin.storage.registry import StorageRegistry

if TYPE_CHECKING:
    import pytest

    from tests.drivers.swift.account import Account

GARBAGE = b"nothing refers to this" * 150_000
KEPT = b"an image refers to this" * 150_000


def test_garbage_goes_with_its_segments(
    parameters: dict[str, object], container: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = open_driver("swift", {**parameters, "chunksize": 1 << 20}, scratch=paths.SCRATCH)
    registry, store, garbage = StorageRegistry(driver), Store(driver, monkeypatch), Digest.of(GARBAGE)
    registry.push_blob("a", garbage, io.BytesIO(GARBAGE))
    push_image(registry, "a", KEPT)
    assert store.collect(1.1) == {"quarantine": [garbage]}
    assert read_blob(StorageRegistry(driver), "a", garbage) == GARBAGE
    assert store.collect(1.1)["quarantine"] == [garbage]  # to read it moved it back
    assert store.collect(1.6)["delete"] == [garbage]
    left = container.names("segments/")
    assert len(left) == 4
    assert all(f"/{Digest.of(KEPT).hex}/data/" in name for name in left)
    assert read_blob(registry, "a", Digest.of(KEPT)) == KEPT
