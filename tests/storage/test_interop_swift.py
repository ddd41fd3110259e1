"""One container, two implementations: distribution 2.8, the last that knows Swift, and udist."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.drivers.swift.conftest import container, parameters
from tests.storage.stock import DEBIANS, Stock, collect_configured, running
from tests.storage.test_interop import (
    IMAGES,
    LAYERS,
    check_stock_reads,
    check_udist_reads,
    stock_pushes,
    udist_pushes,
)
from udist_plugin.drivers import open_driver
from udist_plugin.oci.digest import Digest
from udist_plugin.storage import paths
from udist_plugin.storage.registry import StorageRegistry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.drivers.swift.account import Account
    from udist_plugin.drivers.base import StorageDriver

__all__ = ["container", "parameters"]

LARGE = Digest.of(LAYERS[1])


@pytest.fixture(params=["", "a/root"])
def section(parameters: dict[str, object], request: pytest.FixtureRequest) -> dict[str, object]:
    assert len(LAYERS[1]) > 2 << 20
    return {**parameters, "prefix": request.param, "chunksize": 1 << 20}


@pytest.fixture
def config(section: dict[str, object], tmp_path: Path) -> Path:
    config = {
        "version": 0.1,
        "storage": {"swift": section, "redirect": {"disable": True}, "delete": {"enabled": True}},
        "http": {"addr": "127.0.0.1:0"},
    }
    (tmp_path / "config.yml").write_text(json.dumps(config))
    return tmp_path / "config.yml"


@pytest.fixture
def stock(config: Path) -> Iterator[Stock]:
    with running(DEBIANS, config) as stock:
        yield stock


@pytest.fixture
def driver(section: dict[str, object]) -> StorageDriver:
    return open_driver("swift", section, scratch=paths.SCRATCH)


@pytest.fixture
def registry(driver: StorageDriver) -> StorageRegistry:
    return StorageRegistry(driver)


def large(container: Account) -> str:
    """The name of the object that holds the large layer."""
    (name,) = [name for name in container.names() if name.endswith(f"/{LARGE.hex}/data")]
    return name


def test_either_serves_what_the_other_pushed(
    stock: Stock, registry: StorageRegistry, container: Account
) -> None:
    stock_pushes(stock, "by/stock")
    assert "x-object-manifest" in container.fields(large(container))
    check_udist_reads(registry, "by/stock")
    udist_pushes(registry, "by/udist")
    check_stock_reads(stock, "by/udist")
    assert stock.repositories() == ["by/stock", "by/udist"]


def test_stock_reads_large_objects_of_udist(
    stock: Stock, registry: StorageRegistry, container: Account
) -> None:
    udist_pushes(registry, "app")
    assert "x-static-large-object" in container.fields(large(container))
    check_stock_reads(stock, "app")
    answer = stock.request("GET", f"/v2/app/blobs/{LARGE}", headers={"Range": "bytes=1048570-1048580"})
    assert (answer.status, answer.content) == (206, LAYERS[1][1048570:1048581])


def test_segments_of_stock_go_with_their_blob(
    stock: Stock, registry: StorageRegistry, driver: StorageDriver, container: Account
) -> None:
    stock_pushes(stock, "app")
    assert [name for name in container.names() if "segments/" in name]
    for blob in (b"{}", *LAYERS):
        driver.delete(paths.blob_data(Digest.of(blob)))
    for document in IMAGES:
        driver.delete(paths.blob_data(document.digest))
    assert [name for name in container.names() if "segments/" in name] == []


def test_stock_collects_what_udist_pushed_and_udist_the_segments(
    stock: Stock, registry: StorageRegistry, driver: StorageDriver, container: Account, config: Path
) -> None:
    udist_pushes(registry, "app")
    registry.delete_manifest("app", IMAGES[1].digest)
    registry.delete_tag("app", "multi")
    collect_configured(DEBIANS, config, "--delete-untagged")
    assert not [name for name in container.names() if name.endswith(f"/{LARGE.hex}/data")]
    assert [name for name in container.names() if "segments/udist/" in name]
    driver.purge("/docker/registry/v2", -60)
    assert [name for name in container.names() if "segments/udist/" in name] == []
