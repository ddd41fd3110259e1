"""What a store holds, and what is damaged, as Python calls."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest

from tests.storage.samples import push_image
from udist_plugin import ConfigurationError, create_app, disk_usage, find_damage
from udist_plugin.oci.digest import Digest
from udist_plugin.storage import paths

if TYPE_CHECKING:
    from pathlib import Path

LAYER, UNUSED = b"a layer", b"nothing refers to this"


@pytest.fixture
def config(tmp_path: Path) -> dict[str, Any]:
    """Of a store with an image ``a:v1``, and a blob that nothing refers to."""
    config = {"version": 0.1, "storage": {"filesystem": {"rootdirectory": str(tmp_path / "root")}}}
    with create_app(config) as app:
        push_image(app.registry, "a", LAYER, tags=["v1"])
        app.registry.push_blob("a", Digest.of(UNUSED), io.BytesIO(UNUSED))
    return config


def test_what_takes_the_space(config: dict[str, Any], tmp_path: Path) -> None:
    used = disk_usage(config)
    assert [(each.name, list(each.tags)) for each in used.repositories] == [("a", ["v1"])]
    assert used.unreferenced.size == len(UNUSED)
    file = tmp_path / "config.yml"
    root = config["storage"]["filesystem"]["rootdirectory"]
    file.write_text(f"version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {root}\n")
    assert disk_usage(file) == used


def test_what_is_damaged_is_found_and_moved_aside(config: dict[str, Any], tmp_path: Path) -> None:
    assert list(find_damage(config)) == []
    data = tmp_path / f"root{paths.blob_data(Digest.of(LAYER))}"
    data.write_bytes(b"damaged")
    assert [(each.kind, each.repaired) for each in find_damage(config, repair=True)] == [
        ("blob", False),
        ("manifest", False),
    ]
    assert data.exists()
    assert next(find_damage(config, repair=True, aside=True)).repaired
    assert not data.exists()


def test_what_cannot_be_repaired(config: dict[str, Any]) -> None:
    read_only = {"REGISTRY_STORAGE_MAINTENANCE_READONLY_ENABLED": "true"}
    assert list(find_damage(config, read_only)) == []
    with pytest.raises(ConfigurationError, match=r"storage\.maintenance\.readonly\.enabled"):
        next(find_damage(config, read_only, repair=True))
    with pytest.raises(ConfigurationError, match="repair"):
        next(find_damage(config, aside=True))
