"""What repositories, tags and owners cost."""

from __future__ import annotations

import io
import os
import tracemalloc
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tests.storage.samples import image, index, push, push_image
from tests.storage.stock import serving
from tests.storage.test_collection_interop import (
    CONFIG,
    FIRST,
    GONE,
    INNER,
    KEPT,
    OLD,
    ONE,
    OUTER,
    SECOND,
    SIGNATURE,
    STOCK,
    TWO,
    fill,
)
from udist_plugin.drivers.filesystem.driver import FilesystemDriver
from udist_plugin.drivers.inmemory import InMemoryDriver
from udist_plugin.errors import StorageError
from udist_plugin.oci.digest import Digest
from udist_plugin.storage import paths
from udist_plugin.storage.collection.collect import collect
from udist_plugin.storage.leases import Leases
from udist_plugin.storage.registry import StorageRegistry
from udist_plugin.storage.usage import Cost, Total, usage

if TYPE_CHECKING:
    from pathlib import Path

SMALL, LARGE, SHARED = b"s" * 100, b"l" * 1000, b"h" * 10_000
CONFIGURATION = 2
"""Bytes of the samples' configuration."""


@pytest.fixture
def driver(tmp_path: Path) -> FilesystemDriver:
    return FilesystemDriver(str(tmp_path / "root"), paths.SCRATCH)


@pytest.fixture
def registry(driver: FilesystemDriver) -> StorageRegistry:
    return StorageRegistry(driver)


def test_repositories_and_tags(driver: FilesystemDriver, registry: StorageRegistry) -> None:
    small = push_image(registry, "a", SMALL, SHARED, tags=["small", "same"])
    large = push_image(registry, "a", LARGE, SHARED, tags=["large"])
    other = push_image(registry, "b", SHARED, tags=["v1"])
    untagged = push_image(registry, "b", b"u" * 7)
    registry.push_blob("b", Digest.of(b"unused"), io.BytesIO(b"unused"))
    used = usage(driver)
    a, b = used.repositories
    own = len(small.content) + len(large.content) + len(SMALL) + len(LARGE)
    assert (a.name, a.cost) == ("a", Cost(own + len(SHARED) + CONFIGURATION, own))
    assert a.tags == {
        "small": (size := Cost(len(small.content) + len(SMALL) + len(SHARED) + CONFIGURATION, 0)),
        "same": size,
        "large": Cost(
            len(large.content) + len(LARGE) + len(SHARED) + CONFIGURATION, len(large.content) + len(LARGE)
        ),
    }
    assert b.tags == {
        "v1": Cost(len(other.content) + len(SHARED) + CONFIGURATION, len(other.content)),
        "": Cost(len(untagged.content) + 7 + CONFIGURATION, len(untagged.content) + 7),
    }
    assert b.cost.alone == len(other.content) + len(untagged.content) + 7
    assert used.unreferenced == Total(1, len(b"unused"))
    assert used.blobs == Total(10, a.cost.size + b.cost.alone + len(b"unused"))


def test_what_an_owner_needs_alone_is_what_a_release_frees(
    driver: FilesystemDriver, registry: StorageRegistry
) -> None:
    leased = push_image(registry, "a", SMALL, SHARED, tags=["leased"])
    push_image(registry, "a", SHARED, tags=["mine"])
    both = push_image(registry, "b", LARGE, tags=["both"])
    untagged = push_image(registry, "b", b"untagged")
    leases = Leases(driver)
    leases.create(registry, "first", ["a:leased", "b:both", f"b@{untagged.digest}"])
    leases.create(registry, "second", ["b:both"])
    used = usage(driver)
    of_both = len(both.content) + len(LARGE) + CONFIGURATION
    of_untagged = len(untagged.content) + len(b"untagged")
    of_leased = len(leased.content) + len(SMALL)
    assert used.owners == {
        "first": Cost(of_leased + len(SHARED) + of_both + of_untagged, of_leased + of_untagged),
        "second": Cost(of_both, 0),
    }
    leases.release("first")
    before = {step.digest for step in collect(driver, apply=True) if step.action == "untag"}
    assert before == {leased.digest}
    assert usage(driver).owners == {"second": Cost(of_both, of_both - CONFIGURATION)}


Pushed = some.lists(
    some.tuples(
        some.sampled_from(["a", "b", "c/d"]),
        some.frozensets(some.integers(0, 6), max_size=4),
        some.sampled_from(["", "v1", "v2", "latest"]),
    ),
    max_size=8,
)
"""Images: the repository, the numbers of the layers, and a tag, if any."""


@given(Pushed)
def test_what_is_needed_alone_what_is_shared_and_what_is_unreferenced_is_all(
    pushed: list[tuple[str, frozenset[int], str]],
) -> None:
    driver = InMemoryDriver()
    registry = StorageRegistry(driver)
    registry.push_blob("unused", Digest.of(b"unused"), io.BytesIO(b"unused"))
    needs: dict[str, set[bytes]] = {}
    tagged: dict[tuple[str, str], set[bytes]] = {}
    for name, numbers, tag in pushed:
        layers = [b"%d" % number * (number + 1) for number in sorted(numbers)]
        document = push_image(registry, name, *layers, tags=[tag] if tag else [])
        blobs = {document.content, b"{}", *layers}
        needs.setdefault(name, set()).update(blobs)
        if tag:
            tagged[name, tag] = blobs
    used = usage(driver)
    assert {each.name: each.cost for each in used.repositories} == costs(needs)
    tags = {(each.name, tag): cost for each in used.repositories for tag, cost in each.tags.items()}
    assert {key: tags[key].size for key in tagged} == {
        key: sum(map(len, blobs)) for key, blobs in tagged.items()
    }
    alone = sum(each.cost.alone for each in used.repositories)
    assert alone + used.shared.size + used.unreferenced.size == used.blobs.size
    assert used.blobs.size == len(b"unused") + sum(map(len, set().union(*needs.values())))


def costs(needs: dict[str, set[bytes]]) -> dict[str, Cost]:
    """Found the slow way."""
    found = {}
    for name, blobs in needs.items():
        others = set().union(*(each for other, each in needs.items() if other != name))
        found[name] = Cost(sum(map(len, blobs)), sum(map(len, blobs - others)))
    return found


@pytest.mark.parametrize("program", STOCK)
def test_a_store_that_a_stock_server_made(program: str, tmp_path: Path, driver: FilesystemDriver) -> None:
    with serving(tmp_path / "root", tmp_path / "config.yml", program) as stock:
        fill(stock)
    used = usage(driver)
    (app,) = (each for each in used.repositories if each.name == "team/app")
    documents = sum(len(each.content) for each in (FIRST, SECOND, INNER, OUTER, SIGNATURE))
    blobs = sum(map(len, (CONFIG, ONE, TWO)))
    assert app.cost == Cost(documents + blobs, documents + blobs)
    assert app.tags == {
        "v1": Cost(len(FIRST.content) + len(CONFIG) + len(ONE), 0),
        "multi": Cost(documents + blobs, documents + blobs - len(FIRST.content) - len(CONFIG) - len(ONE)),
    }
    assert set(app.tags) == set(KEPT)
    assert used.unreferenced == Total(3, len(GONE.content) + len(OLD) + len(b"never used"))


def test_what_is_in_quarantine_is_counted_apart(
    driver: FilesystemDriver, registry: StorageRegistry, tmp_path: Path
) -> None:
    registry.push_blob("a", Digest.of(SMALL), io.BytesIO(SMALL))
    push(registry, "a", index(), "v1")
    os.utime(f"{tmp_path}/root{paths.blob_data(Digest.of(SMALL))}", (0, 0))
    list(collect(driver, apply=True))
    used = usage(driver)
    assert (used.quarantine, used.unreferenced) == (Total(1, len(SMALL)), Total(0, 0))


def test_a_damaged_store_is_not_reckoned_wrong(driver: FilesystemDriver, registry: StorageRegistry) -> None:
    push(registry, "a", document := image(), "v1")
    driver.put_content(paths.blob_data(document.digest), b"{}")
    with pytest.raises(StorageError, match="holds other content"):
        usage(driver)


def test_a_million_blobs_fit_into_160_mib() -> None:
    """50,000 of them here, by their share; ``tests/bench/upkeep.py`` measures a million, with images."""
    driver, count = InMemoryDriver(), 50_000
    for number in range(count):
        driver.put_content(paths.blob_data(Digest.of(b"%d" % number)), b"")
    driver.put_content(f"{paths.REPOSITORIES}/a/_manifests/x", b"")
    tracemalloc.start()
    try:
        assert usage(driver).blobs.blobs == count
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak * (1_000_000 / count) < 160 << 20
