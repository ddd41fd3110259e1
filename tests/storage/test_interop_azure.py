"""One container, two implementations: what either pushes the other serves, append blobs too."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest

from tests.drivers.azure.conftest import container, parameters
from tests.storage.samples import push_image
from tests.storage.stock import Stock, running
from tests.storage.test_interop import (
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

__all__ = ["container", "parameters"]


@pytest.fixture(params=["", "/a/root"])
def section(parameters: dict[str, object], request: pytest.FixtureRequest) -> dict[str, object]:
    return {**parameters, "rootdirectory": request.param, "credentials": {"type": "shared_key"}}


@pytest.fixture
def stock(section: dict[str, object], tmp_path: Path) -> Iterator[Stock]:
    config = {
        "version": 0.1,
        "storage": {"azure": section, "redirect": {"disable": True}},
        "http": {"addr": "127.0.0.1:0"},
    }
    (tmp_path / "config.yml").write_text(json.dumps(config))
    with running("registry", tmp_path / "config.yml") as stock:
        yield stock


@pytest.fixture
def registry(section: dict[str, object]) -> StorageRegistry:
    return StorageRegistry(open_driver("azure", section, scratch=paths.SCRATCH))


def test_either_serves_what_the_other_pushed(stock: Stock, registry: StorageRegistry) -> None:
    stock_pushes(stock, "by/stock")
    check_udist_reads(registry, "by/stock")
    udist_pushes(registry, "by/udist")
    check_stock_reads(stock, "by/udist")
    assert stock.repositories() == ["by/stock", "by/udist"]


def test_what_stock_pushed_is_pushed_again(stock: Stock, registry: StorageRegistry) -> None:
    stock_pushes(stock, "by/stock")
    for layer in LAYERS:
        registry.push_blob("again", Digest.of(layer), io.BytesIO(layer))
        push_image(registry, "again", layer)
    check_udist_reads(registry, "by/stock")
    check_stock_reads(stock, "by/stock")
