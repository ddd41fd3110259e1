"""``udist gc``; what it does to a store is tested beside ``storage/collection``."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from tests.cli.terminal import shown_on
from tests.cli.test_failures import COMMAND
from tests.storage.redis_server import be_patient, running
from udist_plugin.cli import gc, retaining
from udist_plugin.cli.gc_report import Document, Output
from udist_plugin.oci.digest import Digest
from udist_plugin.storage import paths
from udist_plugin.storage.collection.step import Step
from udist_plugin.storage.sizes.redis import PREFIX

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
    restored = udist("gc", "--undo").out
    assert restored.startswith("restore  3  blobs")
    assert restored.endswith("  they were in quarantine\n")
    assert garbage.exists()
    assert udist("gc", "--undo") == (0, "there was nothing to restore\n", "")


@pytest.mark.parametrize("words", [("gc",), ("du",), ("scrub",), ("lease", "list"), ("upgrade",)])
def test_a_store_that_is_empty_is_named(
    udist: Udist, work: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    """It is often a folder above or below the right one."""
    assert udist("push", "demo/a:v1", "README.md").code == 0
    assert udist(*words).err == ""
    below = str(work.parent / f"store{paths.ROOT}")
    monkeypatch.setenv("REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY", below)
    ran = udist(*words)
    assert (ran.code, ran.err) == (0, f"udist: this store is empty: filesystem, rootdirectory {below}\n")


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
    said = "storage.maintenance.readonly.enabled: is true, so garbage cannot be collected"
    assert (refused.code, said in refused.err) == (4, True)
    assert garbage.exists()
    assert udist("gc").out.startswith("quarantine  3  blobs")


@pytest.mark.parametrize("text", ["23", "0", "23h", "1439m", "0d", "23h59m59s"])
def test_gc_refuses_a_short_grace_period(udist: Udist, text: str) -> None:
    refused = udist("gc", f"--grace={text}")
    assert (refused.code, f"{text!r}: expected at least 24h" in refused.err) == (2, True)


@pytest.mark.parametrize("text", ["-1", "1e9", "30x", "d", "2d1w", ""])
def test_gc_refuses_what_is_no_duration(udist: Udist, text: str) -> None:
    for option in "--grace", "--older-than":
        refused = udist("gc", f"{option}={text}")
        said = f"{text!r} is not a duration such as 36h, 30d or 8w"
        assert (refused.code, said in refused.err) == (2, True)


@pytest.mark.parametrize(
    ("text", "hours"), [("36h", 36), ("30d", 720), ("8w", 1344), ("1w2d3h30m", 219.5), ("1d", 24)]
)
def test_durations(text: str, hours: float) -> None:
    assert retaining.duration(text) == hours * 3600


@pytest.mark.parametrize("text", ["72", "72h", "3d"])
def test_a_longer_grace_period_keeps_what_is_younger(udist: Udist, garbage: Path, text: str) -> None:
    """The blobs are two days old."""
    assert udist("gc", f"--grace={text}").out.startswith("keep  3  blobs")


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
    file.write_text(
        "dryRun: true\npolicies:\n- repositories: ['**']\n  keepTags: [{mostRecentlyPushedCount: 1}]\n"
    )
    shown = udist("gc", "--retention", "retention.yml", "--apply")
    assert "dryRun is true" in shown.err
    assert udist("tags", "demo/a").out.split() == ["dev", "v1", "v2"]


@pytest.mark.parametrize(
    "options",
    [
        ("--retention=x", "--untagged"),
        ("--undo", "--untagged"),
        ("--undo", "--grace=48"),
        ("--tag=v*",),
        ("--keep-last=-1",),
        ("--older-than=1",),
    ],
)
def test_gc_refuses_what_does_not_go_together(udist: Udist, options: tuple[str, ...]) -> None:
    assert udist("gc", *options).code == 2


def test_gc_tells_which_manifests_are_too_young(udist: Udist, work: Path) -> None:
    pushed = udist("push", "demo/a:v1", "README.md").out.strip()
    udist("rm", "demo/a:v1")
    young = f"keep  demo/a@{pushed}  no tag leads to it, but it is not old enough yet\n"
    for options in (), ("--apply",):
        assert udist("gc", "--untagged", *options).out == young
    shown = json.loads(udist("gc", "--untagged", "--json").out)
    assert [(each["action"], each["digest"]) for each in shown["manifests"]] == [("keep", pushed)]


def test_gc_prints_a_step_before_the_next_is_done(capsys: pytest.CaptureFixture[str]) -> None:
    """So a document of a million steps takes no memory."""
    report = Document(Output(lasting=False, before=lambda: None), applied=True)
    printed = ""
    digests = [Digest.of(bytes([number])) for number in range(4)]
    for number, digest in enumerate(digests):
        report.add(Step("quarantine", digest, number, "demo/a" if number < 2 else ""))
        printed += capsys.readouterr().out
        assert digest in printed
    report.end()
    document = json.loads(printed + capsys.readouterr().out)
    assert list(document) == ["applied", "manifests", "blobs", "totals"]
    assert [each["digest"] for each in (*document["manifests"], *document["blobs"])] == digests
    assert document["totals"]["quarantine"] == {"blobs": 2, "bytes": 5}


def test_gc_without_steps_is_a_whole_document(udist: Udist, work: Path) -> None:
    document = json.loads(udist("gc", "--json").out)
    assert (document["applied"], document["blobs"], document["manifests"]) == (False, [], [])
    assert document["totals"]["delete"] == {"blobs": 0, "bytes": 0}


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_gc_finishes_its_work_when_its_reader_has_gone(
    udist: Udist, tags: list[str], work: Path, options: tuple[str, ...]
) -> None:
    source, sink = os.pipe()
    os.close(source)
    with os.fdopen(sink, "w") as gone:
        command = [*COMMAND, "gc", "--apply", "--untagged", "--keep-last=1", *options]
        ran = subprocess.run(command, stdout=gone, stderr=subprocess.PIPE, timeout=60, check=False)
    assert (ran.returncode, ran.stderr) == (-signal.SIGPIPE, b"")
    quarantine = work.parent / f"store{paths.QUARANTINE}"
    assert len(list(quarantine.glob("*/closed"))) == 1
    assert udist("tags", "demo/a").out == "dev\n"
    assert len(list(quarantine.glob("*/**/revisions/**/link"))) == 3


def test_gc_names_a_full_disk_after_its_work(udist: Udist, tags: list[str], work: Path) -> None:
    with open("/dev/full", "w") as full:
        command = [*COMMAND, "gc", "--apply", "--keep-last=1"]
        ran = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, timeout=60, check=False)
    assert (ran.returncode, ran.stderr) == (1, b"udist: standard output: No space left on device\n")
    assert udist("tags", "demo/a").out == "dev\n"


def test_an_interrupt_closes_the_run_and_the_next_continues(
    udist: Udist, tags: list[str], work: Path
) -> None:
    """It comes while a line is printed that nobody reads."""
    source, sink = os.pipe()
    os.set_blocking(sink, False)
    room = 0
    try:
        while True:
            room += os.write(sink, bytes(65536))
    except BlockingIOError:
        os.set_blocking(sink, True)
    command = [*COMMAND, "gc", "--apply", "--untagged", "--keep-last=1"]
    running = subprocess.Popen(command, stdout=sink, stderr=subprocess.PIPE)
    os.close(sink)
    quarantine = work.parent / f"store{paths.QUARANTINE}"
    first = work.parent / f"store{paths.tag_current('demo/a', 'v1')}"
    wait_until(lambda: not first.exists())
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=30)
    os.close(source)
    assert running.returncode == -signal.SIGINT
    assert err == b"udist: interrupted; nothing is lost, and the next run continues\n"
    assert len(list(quarantine.glob("*/closed"))) == 1
    assert udist("tags", "demo/a").out.split() == ["dev", "v2"]
    again = udist("gc", "--apply", "--untagged", "--keep-last=1").out
    assert "untag  demo/a:v2" in again
    assert udist("tags", "demo/a").out == "dev\n"


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)  # nothing tells when another process has moved a file


@pytest.mark.parametrize(
    ("words", "counted"),
    [
        (
            ("gc", "--apply", "--untagged"),
            [
                "1 manifests and tags read",
                "1 manifests read",
                "1 manifests and tags settled",
                "unreferenced blobs checked",
            ],
        ),
        (("gc", "--undo"), ["there was nothing to restore"]),
        (("du",), ["blobs found"]),
    ],
)
def test_a_terminal_shows_how_far_it_is(
    udist: Udist, work: Path, words: tuple[str, ...], counted: list[str]
) -> None:
    udist("push", "demo/a:v1", "README.md")
    udist("rm", "demo/a:v1")
    udist("rm", f"demo/b@{udist('push', 'demo/b', 'folder').out.strip()}")
    screen, terminal = pty.openpty()
    running = subprocess.Popen([*COMMAND, *words], stdout=terminal, stderr=terminal)
    os.close(terminal)
    shown = shown_on(screen).decode()
    assert running.wait(30) == 0
    places = [shown.index(each) for each in counted]
    assert places == sorted(places)
    for line in shown.split("\n"):
        assert not line.rpartition("\x1b[K")[2].endswith(("read", "checked", "settled", "found"))


def test_a_cache_in_redis_forgets_what_gc_deletes(
    udist: Udist, garbage: Path, tmp_path: Path, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gc, "_pause", lambda _: None)
    be_patient(monkeypatch)
    blobs = [each["digest"] for each in json.loads(udist("gc", "--json").out)["blobs"]]
    with running(tmp_path) as server:
        monkeypatch.setenv("REGISTRY_STORAGE_CACHE_BLOBDESCRIPTOR", "redis")
        monkeypatch.setenv("REGISTRY_REDIS_ADDRS", f"[{server.address}]")
        for digest in blobs:
            server.command("SET", f"{PREFIX}{digest}", 1)
        assert udist("gc", "--apply").out.startswith("quarantine  3  blobs")
        assert server.command("DBSIZE") == b":3\r\n"
        for mark in (work.parent / f"store{paths.QUARANTINE}").glob("*/closed"):
            age(mark)
        assert udist("gc", "--apply").out.startswith("delete  3  blobs")
        assert server.command("DBSIZE") == b":0\r\n"
