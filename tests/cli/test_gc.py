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


def age(file: Path, days: int = 2) -> None:
    then = time.time() - days * DAY
    os.utime(file, (then, then))


def test_gc_shows_what_it_would_do(udist: Udist, garbage: Path) -> None:
    shown = udist("gc")
    assert shown.out.startswith("quarantine  3  blobs")
    assert shown.out.endswith("nothing was changed; use --apply to do this\n")
    assert garbage.exists()


def test_gc_lets_those_who_push_go_first(
    udist: Udist, garbage: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    niced: list[int] = []
    monkeypatch.setattr(os, "nice", niced.append)
    udist("gc")
    assert niced == [gc.NICENESS]
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


@pytest.fixture
def tags(udist: Udist, work: Path) -> list[str]:
    """Three tags of a repository, pushed on three days, and an untagged manifest: their digests."""
    digests = []
    for days, tag in (4, "v1"), (3, "v2"), (2, "dev"), (5, "gone"):
        (work / "file").write_text(tag)
        digests.append(udist("push", f"demo/a:{tag}", "file").out.strip())
        for link in (work.parent / f"store{paths.tags('demo/a')}/{tag}").rglob("link"):
            age(link, days)
    udist("rm", "demo/a:gone")
    for link in (work.parent / f"store{paths.revisions('demo/a')}").rglob("link"):
        age(link)
    return digests


def test_gc_shows_which_rule_removes_which_tag(udist: Udist, tags: list[str]) -> None:
    shown = udist("gc", "--keep-last", "1", "--older-than", "60h", "--tag", "v*", "--untagged")
    assert shown.out.splitlines() == [
        "untag  demo/a:v1  not among the 1 pushed last and not pushed within 60h, of v*",
        *(f"quarantine  demo/a@{digest}  no tag leads to it" for digest in sorted([tags[0], tags[3]])),
        "nothing was changed; use --apply to do this",
    ]
    assert "v1" in udist("tags", "demo/a").out


def test_gc_removes_tags_and_brings_them_back(udist: Udist, tags: list[str]) -> None:
    done = json.loads(udist("gc", "--keep-last=1", "--exclude=v2", "--apply", "--json").out)
    reason = "not among the 1 pushed last"
    assert done["manifests"] == [
        {"action": "untag", "name": "demo/a", "tag": "v1", "digest": tags[0], "reason": reason}
    ]
    assert udist("tags", "demo/a").out.split() == ["dev", "v2"]
    assert udist("gc", "--undo").out == "restore  demo/a:v1\n"
    assert udist("tags", "demo/a").out.split() == ["dev", "v1", "v2"]


def test_gc_takes_policies_from_a_file(udist: Udist, tags: list[str], work: Path) -> None:
    file = work / "retention.yml"
    file.write_text("policies:\n- repositories: ['**']\n  keepTags: [{patterns: [^dev]}]\n")
    shown = udist("gc", "--retention", "retention.yml")
    assert "untag  demo/a:v1  matches no patterns of keepTags" in shown.out
    file.write_text("dryRun: true\npolicies:\n- keepTags: [{mostRecentlyPushedCount: 1}]\n")
    shown = udist("gc", "--retention", "retention.yml", "--apply")
    assert "dryRun is true" in shown.err
    assert udist("tags", "demo/a").out.split() == ["dev", "v1", "v2"]


@pytest.mark.parametrize(
    "options",
    [
        ("--retention=x", "--untagged"),
        ("--undo", "--untagged"),
        ("--tag=v*",),
        ("--keep-last=-1",),
        ("--older-than=1d",),
    ],
)
def test_gc_refuses_what_does_not_go_together(udist: Udist, options: tuple[str, ...]) -> None:
    assert udist("gc", *options).code == 2
