"""Power fails between any two calls: what was acknowledged is there, and nothing is half visible."""

from __future__ import annotations

import io
import os
import time
from random import Random
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.storage.crashes import (
    Disk,
    Event,
    Recording,
    any_of,
    everything,
    in_memory,
    on_disk,
    only_synced,
    zeros,
)
from tests.storage.in_file import InFile
from tests.storage.samples import Document, image, index, push, read_blob
from udist_plugin.drivers.filesystem import calls
from udist_plugin.drivers.filesystem.driver import FilesystemDriver
from udist_plugin.drivers.filesystem.steps import StagedFiles
from udist_plugin.errors import BlobUnknown, ManifestUnknown, NameUnknown, StorageError
from udist_plugin.oci.digest import Digest
from udist_plugin.storage import paths
from udist_plugin.storage.registry import StorageRegistry
from udist_plugin.storage.upkeep.purge import purge_uploads

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from udist_plugin.drivers.base import StorageDriver

LAYER, CHUNKED = b"a layer" * 500, b"a layer in chunks" * 500
SHARED = b"a layer in a file" * 500
OLD, NEW = image(LAYER), image(CHUNKED)
LONE = index()
Fact = tuple[str, str, str]
State = dict[Fact, object]


class Step(NamedTuple):
    """A verb, and what holds once it was acknowledged."""

    run: Callable[[StorageRegistry], object]
    effect: State


def blob(name: str, content: bytes, present: bool = True) -> State:
    return {("blob", name, Digest.of(content)): content if present else None}


def manifest(name: str, document: Document, *tags: str, present: bool = True) -> State:
    state: State = {("manifest", name, document.digest): document.content if present else None}
    return {**state, **{("tag", name, tag): document.digest if present else None for tag in tags}}


def upload_in_two_parts(registry: StorageRegistry) -> None:
    upload = registry.start_upload("a")
    upload.write(io.BytesIO(CHUNKED[:1000]))
    upload.write(io.BytesIO(CHUNKED[1000:]))
    upload.commit(Digest.of(CHUNKED))


STEPS = [
    Step(lambda r: r.push_blob("a", Digest.of(LAYER), io.BytesIO(LAYER)), blob("a", LAYER)),
    Step(lambda r: r.push_blob("a", Digest.of(SHARED), InFile(SHARED)), blob("a", SHARED)),
    Step(upload_in_two_parts, blob("a", CHUNKED)),
    Step(lambda r: push(r, "a", OLD, "v1", "latest"), manifest("a", OLD, "v1", "latest")),
    Step(lambda r: push(r, "a", NEW, "v2", "latest"), manifest("a", NEW, "v2", "latest")),
    Step(lambda r: r.mount_blob("b/c", Digest.of(LAYER), "a"), blob("b/c", LAYER)),
    Step(lambda r: push(r, "lone", LONE, "v1"), manifest("lone", LONE, "v1")),
    Step(lambda r: r.delete_tag("a", "v2"), {("tag", "a", "v2"): None}),
    Step(lambda r: r.delete_manifest("a", OLD.digest), manifest("a", OLD, "v1", present=False)),
    Step(lambda r: r.delete_blob("a", Digest.of(LAYER)), blob("a", LAYER, present=False)),
    Step(lambda r: r.start_upload("a").write(io.BytesIO(b"abandoned")), {}),
    Step(lambda r: purge_uploads(r.driver, -60), {}),
    Step(lambda r: push(r, "a", OLD, "v1"), manifest("a", OLD, "v1")),
]


class Trace(NamedTuple):
    events: list[Event]
    ends: list[int]
    """How many events each step ends with."""


def record(monkeypatch: pytest.MonkeyPatch, root: Path) -> Trace:
    root.mkdir()
    recording = Recording(monkeypatch, root)
    ends = []
    registry = StorageRegistry(FilesystemDriver(str(root), paths.SCRATCH))
    for step in STEPS:
        step.run(registry)
        ends.append(len(recording.events))
    monkeypatch.undo()
    return Trace(recording.events, ends)


def seen(registry: StorageRegistry, fact: Fact) -> object:
    """What a fact is now; fails when it is neither whole nor absent."""
    kind, name, key = fact
    try:
        if kind == "blob":
            return read_blob(registry, name, Digest(key))
        if kind == "manifest":
            return registry.get_manifest(name, Digest(key)).content
        return registry.get_manifest(name, key).digest
    except (BlobUnknown, ManifestUnknown):
        return None


def check(driver: StorageDriver, trace: Trace, count: int) -> None:
    """Checks what is left of the first ``count`` events."""
    registry = StorageRegistry(driver)
    done = sum(end <= count for end in trace.ends)
    acknowledged: State = {fact: None for step in STEPS for fact in step.effect}
    for step in STEPS[:done]:
        acknowledged |= step.effect
    under_way = STEPS[done].effect if done < len(STEPS) else {}
    tags: dict[str, list[str]] = {}
    for fact, value in acknowledged.items():
        found = seen(registry, fact)
        assert found in (value, under_way.get(fact, value)), (fact, done)
        if fact[0] == "tag" and found is not None:
            tags.setdefault(fact[1], []).append(fact[2])
    for name in registry.list_repositories().items:
        try:
            listed = registry.list_tags(name).items
        except NameUnknown:
            listed = []
        assert listed == sorted(tags.pop(name, []))
    assert tags == {}


def crash_everywhere(trace: Trace, draws: int = 2) -> None:
    """Checks what each crash may leave: the extremes, and as many random outcomes as ``draws``."""
    disk = Disk()
    for count in range(len(trace.events) + 1):
        if count:
            disk.apply(trace.events[count - 1])
        random = Random(count)
        outcomes: list[tuple[Callable[[], bool], Callable[[bytes, int], bytes]]] = [
            (lambda: True, everything),  # a killed process
            (lambda: False, only_synced),
            (lambda: True, only_synced),
            (lambda: True, zeros),
            *[(lambda: random.random() < 0.5, any_of(random))] * draws,  # noqa: B023
        ]
        for entries, data in outcomes:
            check(in_memory(disk.left(entries, data)), trace, count)


def test_what_was_acknowledged_survives(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    trace = record(monkeypatch, tmp_path / "root")
    assert len(trace.events) > 200
    crash_everywhere(trace)


def test_what_was_acknowledged_survives_beside_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The same where no folder could be renamed into place, for others were quicker to make it."""
    monkeypatch.setattr(StagedFiles, "commit", lambda self: False)
    crash_everywhere(record(monkeypatch, tmp_path / "root"))


def test_the_order_of_a_push(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each rename is durable before the next: blob, revision, then the tag's folder as a whole."""
    registry = StorageRegistry(FilesystemDriver(str(tmp_path), paths.SCRATCH))
    push(registry, "a", OLD, "v1")
    recording = Recording(monkeypatch, tmp_path)
    push(registry, "a", NEW, "v2")
    renamed = [(at, event.other) for at, event in enumerate(recording.events) if event.verb == "rename"]
    assert f"/{renamed[0][1]}/".startswith(f"{paths.BLOBS}/sha256/{NEW.digest.hex[:2]}/")
    assert [f"/{target}" for _, target in renamed[1:]] == [
        paths.revision("a", NEW.digest),
        paths.tag("a", "v2"),
    ]
    ends = [at for at, _ in renamed[1:]] + [len(recording.events)]
    for (at, target), end in zip(renamed, ends, strict=True):
        between = recording.events[at + 1 : end]
        assert Event("sync_folder", os.path.dirname(target)) in between
        assert {event.verb for event in between} == {"sync_folder"}
    assert registry.get_manifest("a", "v2").digest == NEW.digest


@pytest.mark.parametrize("verb", ["sync", "sync_folder"])
def test_a_missing_sync_is_noticed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, verb: str) -> None:
    """The test above can fail: without either kind of sync something acknowledged is lost."""
    trace = record(monkeypatch, tmp_path / "root")
    unsynced = [event for event in trace.events if event.verb != verb]
    ends = [sum(event.verb != verb for event in trace.events[:end]) for end in trace.ends]
    with pytest.raises((AssertionError, StorageError)):
        crash_everywhere(Trace(unsynced, ends))


def test_work_goes_on_after_a_crash(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whatever is left, all of it can be done again, and purging finds nothing it cannot remove."""
    trace = record(monkeypatch, tmp_path / "root")
    disk = Disk()
    for count, event in enumerate(trace.events):
        disk.apply(event)
        if count % 16:
            continue
        random = Random(count)
        left = disk.left(lambda: random.random() < 0.5, any_of(random))  # noqa: B023
        registry = StorageRegistry(on_disk(left, tmp_path / str(count)))
        assert purge_uploads(registry.driver, -60).errors == []
        for step in STEPS[:4]:
            step.run(registry)
        for step in STEPS[:4]:
            for fact in step.effect:
                assert seen(registry, fact) is not None


def test_folders_above_are_synced_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process may have made them just now; what is known to be durable need not be synced again."""
    driver = FilesystemDriver(str(tmp_path), paths.SCRATCH)
    driver.put_content("/a/b/c", b"x")
    synced: list[str] = []
    sync_folder = calls.sync_folder

    def recorded(path: str) -> None:
        synced.append(os.path.relpath(path, tmp_path))
        sync_folder(path)

    monkeypatch.setattr(calls, "sync_folder", recorded)
    driver = FilesystemDriver(str(tmp_path), paths.SCRATCH)
    for name in (".", "a", "a/b"):
        os.utime(tmp_path / name, (1, 1))
    driver.put_content("/a/b/d", b"x")
    assert synced == ["a/b", "a", "."]
    synced.clear()
    driver.put_content("/a/b/e", b"x")
    assert synced == ["a/b"]
    synced.clear()
    (tmp_path / "a" / "other").mkdir()
    driver.put_content("/a/b/f", b"x")
    assert synced == ["a/b", "a"]


def test_a_folder_that_has_just_changed_is_synced_again_however_long_that_took(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change that the sync missed may bear the time of the one before."""
    driver = FilesystemDriver(str(tmp_path), paths.SCRATCH)
    driver.put_content("/a/b/c", b"x")
    synced: list[str] = []
    clock = [time.time()]

    def slowly(path: str) -> None:
        synced.append(os.path.relpath(path, tmp_path))
        clock[0] += 10
        if len(synced) == 1:
            os.utime(tmp_path / "a", (clock[0], clock[0]))

    monkeypatch.setattr(calls, "sync_folder", slowly)
    monkeypatch.setattr(time, "time", lambda: clock[0])
    driver = FilesystemDriver(str(tmp_path), paths.SCRATCH)
    driver.put_content("/a/b/d", b"x")
    driver.put_content("/a/b/e", b"x")
    assert synced == ["a/b", "a", ".", "a/b", "a"]
