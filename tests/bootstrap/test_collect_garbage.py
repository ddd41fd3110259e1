from __future__ import annotations

import io
import os
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.storage.redis_server import be_patient, running
from udist_plugin import ConfigurationError, RemoteRegistry, WSGITransport, collect_garbage, create_app
from udist_plugin.oci.digest import Digest
from udist_plugin.storage import paths
from udist_plugin.storage.collection.step import Step
from udist_plugin.storage.sizes.redis import PREFIX

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


def test_everything_can_be_restored(config: dict[str, Any], tmp_path: Path) -> None:
    data = tmp_path / f"root{paths.blob_data(Digest.of(GARBAGE))}"
    assert [step.action for step in collect_garbage(config, apply=True)] == ["quarantine"]
    counted: list[tuple[str, int]] = []
    undone = collect_garbage(config, undo=True, progress=lambda *told: counted.append(told))
    assert list(undone) == [Step("restore", Digest.of(GARBAGE), len(GARBAGE))]
    assert counted == [("blobs in quarantine settled", 1)]
    assert data.exists()
    others: list[dict[str, Any]] = [{"apply": True}, {"untagged": True}, {"retention": {}}, {"grace": 1e6}]
    for options in others:
        with pytest.raises(ConfigurationError, match="undo: restores everything"):
            next(collect_garbage(config, undo=True, **options))


def test_progress_is_told(config: dict[str, Any]) -> None:
    counted: list[tuple[str, int]] = []
    for _ in collect_garbage(config, progress=lambda *told: counted.append(told)):
        assert counted == []
    assert counted == [("unreferenced blobs checked", 1)]


def test_a_run_that_is_closed_leaves_the_rest_to_the_next(config: dict[str, Any], tmp_path: Path) -> None:
    run = collect_garbage(config, apply=True)
    next(run)
    run.close()
    assert len(list((tmp_path / f"root{paths.QUARANTINE}").glob("*/closed"))) == 1


@pytest.mark.parametrize("retention", ["x", 7, ["policies"]])
def test_policies_are_a_mapping_or_a_path(config: dict[str, Any], retention: Any) -> None:
    with pytest.raises(ConfigurationError, match="retention: expected a mapping or a Path"):
        next(collect_garbage(config, retention=retention))


def test_a_cache_in_redis_forgets_what_is_deleted(
    config: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("udist_plugin.storage.collection.collect.PAUSE", 0.0)
    be_patient(monkeypatch)
    with running(tmp_path) as server:
        config["storage"]["cache"] = {"blobdescriptor": "redis"}
        config["redis"] = {"addrs": [server.address]}
        server.command("SET", f"{PREFIX}{Digest.of(GARBAGE)}", len(GARBAGE))
        for action in "quarantine", "delete":
            assert server.command("DBSIZE") == b":1\r\n"
            assert [step.action for step in collect_garbage(config, apply=True)] == [action]
            then = time.time() - 2 * 24 * 3600
            for mark in (tmp_path / f"root{paths.QUARANTINE}").glob("*/closed"):
                os.utime(mark, (then, then))
        assert server.command("DBSIZE") == b":0\r\n"


def test_a_store_that_is_read_only_is_only_looked_at(config: dict[str, Any]) -> None:
    read_only = {"REGISTRY_STORAGE_MAINTENANCE_READONLY_ENABLED": "true"}
    assert len(list(collect_garbage(config, read_only))) == 1
    with pytest.raises(ConfigurationError, match=r"storage\.maintenance\.readonly\.enabled"):
        next(collect_garbage(config, read_only, apply=True))
    with pytest.raises(ConfigurationError, match="so garbage cannot be collected"):
        next(collect_garbage(config, read_only, undo=True))
