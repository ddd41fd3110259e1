"""``udist sync``, ``udist backup`` and ``udist restore``."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from tests.images.sample import Layout, entries_of
from tests.remote.serving import Answer, serving

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Ran
    from tests.remote.serving import Asked

    Udist = Callable[..., Ran]

COMMAND = [sys.executable, "-m", "udist_plugin.cli.main"]


def test_a_sync_says_what_it_copied(udist: Udist, layout: Layout) -> None:
    one = layout.image("v1", layers=[b"1"])["digest"]
    two = layout.image("v2", layers=[b"2"])["digest"]
    ran = udist("sync", "oci:layout", "udist:demo/app")
    assert ran.out == f"udist:demo/app:v1 {one}\nudist:demo/app:v2 {two}\n"
    assert (ran.code, ran.err) == (0, "udist: copied 2 images, 20.8 kB; 0 unchanged\n")
    ran = udist("sync", "oci:layout", "udist:demo/app")
    assert (ran.code, ran.out, ran.err) == (0, "", "udist: copied 0 images, 0 B; 2 unchanged\n")
    udist("tag", "demo/app:v1", "old")
    ran = udist("sync", "oci:layout", "udist:demo/app", "--delete", "--dry-run")
    assert ran.out == "udist:demo/app:old deleted\n"
    assert ran.err == "udist: would have copied 0 images, 0 B; 2 unchanged; 1 deleted\n"
    told = json.loads(udist("sync", "oci:layout", "udist:demo/app", "--delete", "--json").out)
    assert told["deleted"] == ["udist:demo/app:old"]
    assert [each["digest"] for each in told["present"]] == [one, two]
    assert udist("tags", "demo/app").out == "v1\nv2\n"


def test_between_two_stores(udist: Udist, layout: Layout, work: Path) -> None:
    """Two plugins, and all that is in one of them."""
    layout.image("v1")
    udist("copy", "oci:layout", "udist:demo/app:v1")
    (work / "other.yml").write_text("version: 0.1\nstorage: {filesystem: {rootdirectory: other}}\n")
    assert udist("sync", "udist:", "udist:mirror", "--dest-config", "other.yml").code == 0
    assert (work / "other/docker/registry/v2/repositories/mirror/demo/app").is_dir()
    assert udist("sync", "udist:", "oci:out", "--dest-config", "other.yml").code == 2


def test_exit_codes(udist: Udist, layout: Layout) -> None:
    bad = layout.image("v1", layers=[b"1"])["digest"]
    layout.image("v2", layers=[b"2"])
    layout.path(bad).write_bytes(b"{}")
    ran = udist("sync", "oci:layout", "udist:demo/app", "--json")
    assert ran.code == 1
    assert json.loads(ran.out)["failed"] == ["oci:layout:v1"]
    assert (
        json.loads(ran.err.partition("{")[1] + ran.err.partition("{")[2])["errors"][0]["code"]
        == "DIGEST_INVALID"
    )
    ran = udist("sync", "oci:layout", "udist:demo/app", "--tag", "v1")
    assert ran.err.splitlines()[0] == "udist: copied 0 images, 0 B; 0 unchanged; 1 failed"
    assert ran.err.splitlines()[1].startswith("udist: oci:layout:v1: the manifest does not match its digest")
    assert udist("tags", "demo/app").out == "v2\n"
    assert udist("sync", "udist:nothing", "oci:out").code == 3
    assert udist("sync", "oci:nothing", "udist:demo/app").code == 3


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["sync", "demo", "udist:"], "it names no transport"),
        (["sync", "oci:layout", "udist:"], "has no name; give the destination one"),
        (["sync", "udist:demo:v1", "oci:out"], "demo:v1: is no repository; expected NAME"),
        (["sync", "yaml:file.yml", "udist:", "--tag", "v1"], "give no patterns"),
        (["backup", "demo"], "the following arguments are required: FILE"),
        (["restore", "backup.tar", "--to", "nowhere"], "it names no transport"),
    ],
)
def test_wrong_command_lines(udist: Udist, layout: Layout, words: list[str], problem: str) -> None:
    layout.image("v1")
    ran = udist(*words)
    assert ran.code == 2
    assert problem in ran.err


def test_backup_and_restore(udist: Udist, layout: Layout) -> None:
    digest = layout.image("v1")["digest"]
    udist("copy", "oci:layout", "udist:demo/app:v1")
    udist("copy", "oci:layout", "udist:demo/web:v1")
    ran = udist("backup", "demo/app", "udist:demo/web", "backup.tar")
    assert ran.out == "".join(f"oci-archive:backup.tar:demo/{name}:v1 {digest}\n" for name in ("app", "web"))
    udist("rm", "demo/app:v1", "demo/web:v1")
    assert udist("restore", "backup.tar", "demo/app=my/app", "--quiet").out == f"udist:my/app:v1 {digest}\n"
    assert udist("restore", "backup.tar", "--dry-run").code == 0
    assert (udist("tags", "demo/app").out, udist("tags", "my/app").out) == ("", "v1\n")
    udist("restore", "backup.tar", "--to", "oci:out")
    assert sorted(entries_of(layout.root.parent / "out")) == [
        ("demo/app:v1", digest),
        ("demo/web:v1", digest),
    ]
    ran = udist("restore", "backup.tar", "other")
    assert (ran.code, ran.out) == (3, "")
    assert "no repository 'other'; it has demo/app, demo/web" in ran.err


def test_pipes(udist: Udist, layout: Layout) -> None:
    digest = layout.image("v1")["digest"]
    udist("copy", "oci:layout", "udist:demo/app:v1")
    with subprocess.Popen([*COMMAND, "backup", "demo/app", "-"], stdout=subprocess.PIPE) as writer:
        restored = subprocess.run(
            [*COMMAND, "restore", "-", "demo/app=my/app"],
            stdin=writer.stdout,
            stdout=subprocess.PIPE,
            check=True,
            timeout=60,
            text=True,
        )
    assert writer.returncode == 0
    assert restored.stdout == f"udist:my/app:v1 {digest}\n"


class Gate:
    """A registry with the images of a layout. It holds back the second image that it is asked for until it is
    ``opened``, and says when it has been ``reached``."""

    def __init__(self, layout: Layout) -> None:
        self.reached = threading.Event()
        self.opened = threading.Event()
        self._layout = layout
        self._asked: set[str] = set()

    def answer(self, asked: Asked) -> Answer:
        path = asked.target.partition("?")[0]
        target = path.rpartition("/")[2]
        if path.endswith("/tags/list"):
            tags = [name for name, _ in entries_of(self._layout.root)]
            return Answer(body=json.dumps({"name": "app", "tags": tags}).encode())
        if not target or "/referrers/" in path or target.startswith("sha256-"):
            return Answer(404 if target else 200)
        digest = dict(entries_of(self._layout.root)).get(target, target)
        if asked.method == "GET" and "/manifests/" in path:
            self._asked.add(digest)
            if len(self._asked) == 2:
                self.reached.set()
                self.opened.wait(60)
        kind = "vnd.oci.image.manifest.v1+json" if "/manifests/" in path else "octet-stream"
        headers = [("content-type", f"application/{kind}"), ("docker-content-digest", digest)]
        return Answer(headers=headers, body=self._layout.path(digest).read_bytes())


@pytest.mark.parametrize("words", [("sync", "udist:app", "--concurrency=1"), ("backup", "backup.tar")])
def test_killed_and_run_again(udist: Udist, layout: Layout, words: tuple[str, ...], work: Path) -> None:
    """What was whole is kept, and nothing else is to be seen; the second run finishes."""
    for number in range(3):
        layout.image(f"v{number}", layers=[str(number).encode()])
    gate = Gate(layout)
    with serving(gate.answer) as served:
        command = [words[0], f"docker://127.0.0.1:{served.port}/app", *words[1:]]
        with subprocess.Popen([*COMMAND, *command]) as process:
            assert gate.reached.wait(60)
            process.kill()
        gate.opened.set()
        assert process.returncode == -signal.SIGKILL
        assert not (work / "backup.tar").exists()
        tags = udist("tags", "app")
        assert (tags.code, len(tags.out.split())) == ((0, 1) if words[0] == "sync" else (3, 0))
        ran = udist(*command)
    assert ran.code == 0
    if words[0] == "sync":
        assert len(ran.out.splitlines()) == 2
        assert ran.err.endswith("; 1 unchanged\n")
    else:
        udist("restore", "backup.tar")
    assert udist("tags", "app").out == "v0\nv1\nv2\n"
