from __future__ import annotations

import io
import os
import time
from typing import TYPE_CHECKING, Any

import pytest

from udist_plugin import ConfigurationError, RemoteRegistry, WSGITransport, collect_garbage, create_app
from udist_plugin.oci.digest import Digest
from udist_plugin.storage import paths
from udist_plugin.storage.collection.step import Step

if TYPE_CHECKING:
    from pathlib import Path

GARBAGE = b"nothing refers to this"


@pytest.fixture
def config(tmp_path: Path) -> dict[str, Any]:
    """Of a store with a blob that nothing refers to, two days old."""
    config = {"version": 0.1, "storage": {"filesystem": {"rootdirectory": str(tmp_path / "root")}}}
    with create_app(config) as app:
        RemoteRegistry(WSGITransport(app)).push_blob("a", Digest.of(GARBAGE), io.BytesIO(GARBAGE))
    then = time.time() - 2 * 24 * 3600
    os.utime(f"{tmp_path}/root{paths.blob_data(Digest.of(GARBAGE))}", (then, then))
    return config


def test_garbage_is_found_and_moved(config: dict[str, Any], tmp_path: Path) -> None:
    data = tmp_path / f"root{paths.blob_data(Digest.of(GARBAGE))}"
    step = Step("quarantine", Digest.of(GARBAGE), len(GARBAGE))
    assert list(collect_garbage(config)) == [step]
    assert data.exists()
    assert list(collect_garbage(config, apply=True)) == [step]
    assert not data.exists()


def test_the_configuration_may_be_a_file(config: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "config.yml"
    root = config["storage"]["filesystem"]["rootdirectory"]
    file.write_text(f"version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {root}\n")
    assert [step.action for step in collect_garbage(file)] == ["quarantine"]


def test_a_store_that_is_read_only_is_only_looked_at(config: dict[str, Any]) -> None:
    read_only = {"REGISTRY_STORAGE_MAINTENANCE_READONLY_ENABLED": "true"}
    assert len(list(collect_garbage(config, read_only))) == 1
    with pytest.raises(ConfigurationError, match=r"storage\.maintenance\.readonly\.enabled"):
        next(collect_garbage(config, read_only, apply=True))
