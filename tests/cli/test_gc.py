"""``udist gc``; what it does to a store is tested beside ``storage/collection``."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING

import pytest

from udist_plugin.cli import gc
from udist_plugin.oci.digest import Digest
from udist_plugin.storage import paths

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Ran

    Udist = Callable[..., Ran]

DAY = 24 * 3600


@pytest.fixture
def garbage(udist: Udist, work: Path) -> Path:
    """The data of a blob that nothing refers to any more, two days old."""
    pushed = udist("push", "demo/a:v1", "README.md").out.strip()
    udist("rm", f"demo/a@{pushed}")
    for data in (work.parent / f"store{paths.BLOBS}").rglob("data"):
        age(data)
    return work.parent / f"store{paths.blob_data(Digest.of((work / 'README.md').read_bytes()))}"


def age(file: Path) -> None:
    then = time.time() - 2 * DAY
    os.utime(file, (then, then))


def test_gc_shows_what_it_would_do(udist: Udist, garbage: Path) -> None:
    shown = udist("gc")
    assert shown.out.startswith("quarantine  3  blobs")
    assert shown.out.endswith("nothing was changed; use --apply to do this\n")
    assert garbage.exists()


def test_gc_deletes_in_two_runs(
    udist: Udist, garbage: Path, monkeypatch: pytest.MonkeyPatch, work: Path
) -> None:
    assert udist("gc", "--apply").out.startswith("quarantine  3  blobs")
    assert not garbage.exists()
    assert udist("gc", "--apply").out.startswith("wait  3  blobs")
    quarantine = work.parent / f"store{paths.QUARANTINE}"
    for mark in quarantine.glob("*/closed"):
        age(mark)
    paused: list[float] = []
    monkeypatch.setattr(gc, "_pause", paused.append)
    deleted = json.loads(udist("gc", "--apply", "--json").out)
    assert deleted["applied"] is True
    assert deleted["totals"]["delete"]["blobs"] == len(deleted["blobs"]) == 3
    assert deleted["totals"]["delete"]["bytes"] == sum(blob["size"] for blob in deleted["blobs"])
    assert len(paused) == 1
    assert [file.name for file in quarantine.iterdir()] == ["clock"]
    assert udist("gc") == (0, "no garbage was found\n", "")


def test_gc_restores(udist: Udist, garbage: Path) -> None:
    udist("gc", "--apply")
    assert udist("gc", "--undo").out.startswith("restore  3  blobs")
    assert garbage.exists()
    assert udist("gc", "--undo") == (0, "nothing is in quarantine\n", "")


def test_gc_names_what_it_cannot_read(udist: Udist, garbage: Path, work: Path) -> None:
    pushed = udist("push", "demo/b:v1", "README.md").out.strip()
    (work.parent / f"store{paths.blob_data(Digest(pushed))}").write_bytes(b"{}")
    failed = udist("gc", "--apply")
    assert failed.code != 0
    assert paths.blob_data(Digest(pushed)) in failed.err
    assert not list((work.parent / f"store{paths.QUARANTINE}").glob("*/*/*/*"))


@pytest.mark.parametrize("option", ["--apply", "--undo"])
def test_gc_changes_nothing_in_a_store_that_is_read_only(
    udist: Udist, garbage: Path, option: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGISTRY_STORAGE_MAINTENANCE_READONLY", "{enabled: true}")
    refused = udist("gc", option)
    assert (refused.code, "storage.maintenance.readonly.enabled" in refused.err) == (4, True)
    assert garbage.exists()
    assert udist("gc").out.startswith("quarantine  3  blobs")


@pytest.mark.parametrize("hours", ["23", "-1", "1e9", "999999"])
def test_gc_refuses_a_short_grace(udist: Udist, hours: str) -> None:
    assert "is not a number of hours from 24" in udist("gc", f"--grace={hours}").err
