"""``udist copy``."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from tests.images.sample import blobs_of
from tests.remote.serving import Answer, Asked, serving
from udist_plugin.oci.media_types import OCI_LAYER_TAR_GZIP, OCI_LAYER_TAR_ZSTD

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Ran
    from tests.images.sample import Layout

    Udist = Callable[..., Ran]


def test_into_the_store_and_out_again(udist: Udist, layout: Layout, work: Path) -> None:
    image = layout.image("v1")
    assert udist("copy", "oci:layout:v1", "udist:demo/app:v1") == (0, f"{image['digest']}\n", "")
    assert udist("tags", "demo/app").out == "v1\n"
    for target in ("oci:out:v1", "oci-archive:out.tar", "docker-archive:docker.tar:demo:v1", "dir:folder2"):
        ran = udist("copy", "udist:demo/app:v1", target, "--preserve-digests", "--digestfile", "digest")
        assert ran == (0, f"{image['digest']}\n", "")
        assert (work / "digest").read_text() == image["digest"]
    assert blobs_of(work / "out") == blobs_of(layout.root)


def test_within_the_store(udist: Udist, layout: Layout) -> None:
    layout.image("v1")
    udist("copy", "oci:layout:v1", "udist:one:v1")
    told = json.loads(udist("copy", "udist:one:v1", "udist:two:v2", "--json").out)
    assert (told["source"], told["copied"], len(told["present"])) == ("udist:one:v1", [], 3)


def test_into_another_store(udist: Udist, layout: Layout, work: Path) -> None:
    image = layout.image("v1")
    udist("copy", "oci:layout:v1", "udist:demo:v1")
    (work / "other.yml").write_text("version: 0.1\nstorage: {filesystem: {rootdirectory: other}}\n")
    digest = f"{image['digest']}\n"
    assert udist("copy", "udist:demo:v1", "udist:copied:v1", "--dest-config", "other.yml") == (0, digest, "")
    assert (work / "other/docker/registry/v2/repositories/copied").is_dir()
    assert udist("ls").out == "demo\n"
    plugin = f"env REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY=third {sys.executable} -m udist_plugin"
    assert udist("copy", "udist:demo:v1", "udist:copied:v1", "--dest-plugin", plugin) == (0, digest, "")
    assert (work / "third/docker/registry/v2/repositories/copied").is_dir()
    assert udist("copy", "udist:demo:v1", "oci:out", "--dest-config", "other.yml").code == 2


def test_a_changed_digest_is_shown_beside_the_old_one(udist: Udist, layout: Layout) -> None:
    children = [layout.image(platform=f"linux/{each}", listed=False) for each in ("amd64", "arm64")]
    index = layout.image_index("v1", *children)
    ran = udist("copy", "oci:layout", "udist:demo", "--platform", "linux/arm64/v8")
    changed = f"udist: the digest changed from {index['digest']} to {children[1]['digest']}\n"
    assert ran == (0, f"{children[1]['digest']}\n", changed)
    ran = udist(
        "copy", "oci:layout", "udist:demo", "--platform", "linux/arm64", "--preserve-digests", "--json"
    )
    assert ran.code == 1
    assert json.loads(ran.err)["errors"][0]["code"] == "IMAGE_INVALID"
    assert udist("copy", "oci:layout", "udist:demo", "--all") == (0, f"{index['digest']}\n", "")


def test_a_dry_run(udist: Udist, layout: Layout) -> None:
    layout.image("v1")
    ran = udist("copy", "oci:layout", "udist:demo:v1", "--dry-run", "--digestfile", "digest")
    assert (ran.code, ran.err) == (0, "udist: would copy 3 blobs, 20.7 kB; 0 are there\n")
    assert udist("ls").out == ""


def test_another_compression(udist: Udist, layout: Layout) -> None:
    image = layout.image("v1")
    ran = udist("copy", "oci:layout", "udist:demo:v1", "--compression", "zstd", "--compression-level", "19")
    digest = ran.out.strip()
    assert (ran.code, ran.err) == (0, f"udist: the digest changed from {image['digest']} to {digest}\n")
    manifest = json.loads(udist("inspect", "udist:demo:v1", "--json").out)["manifest"]
    assert {each["mediaType"] for each in manifest["layers"]} == {OCI_LAYER_TAR_ZSTD}
    told = json.loads(
        udist("copy", "oci:layout", "udist:demo:v1", "--dest-compress-format=gzip", "--json", "--dry-run").out
    )
    assert told["digest"] != told["sourceDigest"] == image["digest"]
    assert {each["mediaType"] for each in told["copied"]} == {OCI_LAYER_TAR_GZIP}
    ran = udist("copy", "oci:layout", "udist:demo:v1", "--compression", "gzip", "--preserve-digests")
    assert (ran.code, ran.out) == (1, "")
    assert "would change, because 2 layers would be recompressed" in ran.err
    assert udist("digest", "demo:v1").out.strip() == digest


def test_what_is_not_there(udist: Udist, layout: Layout) -> None:
    layout.image("v1")
    assert udist("copy", "oci:layout:v2", "udist:demo") == (
        3,
        "",
        "udist: layout:v2: there is no such image; it has v1\n",
    )
    assert udist("copy", "udist:nothing", "oci:out").code == 3
    ran = udist("copy", "oci:layout", "udist:demo", "--platform", "linux/s390x", "--json")
    assert (ran.code, json.loads(ran.err)["errors"][0]["code"]) == (3, "IMAGE_UNKNOWN")


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (
            ["demo:v1", "oci:out"],
            "there is no transport 'demo'; expected TRANSPORT:REFERENCE with one of dir, docker",
        ),
        (["demo", "oci:out"], "demo: it names no transport"),
        (["oci:", "oci:out"], "the path is empty"),
        (["udist:Demo", "oci:out"], "Demo: invalid repository name"),
        (["oci:layout", "oci:out", "--platform", "linux"], "is no platform; expected OS/ARCHITECTURE"),
        (["oci:layout", "oci:out", "--sparse"], "give --platform"),
        (["oci:layout", "oci:out", "--compression", "lzma"], "invalid choice: 'lzma'"),
        (["oci:layout", "oci:out", "--compression-level", "1"], "--compression-level needs --compression"),
        (["oci:layout", "oci:out", "--compression", "gzip", "--compression-level", "10"], "expected 1 to 9"),
        (["oci:layout", "oci:out", "--platform", "linux/arm", "--all"], "not allowed with"),
    ],
)
def test_wrong_command_lines(udist: Udist, words: list[str], problem: str) -> None:
    ran = udist("copy", *words)
    assert ran.code == 2
    assert problem in ran.err


def test_pipes(layout: Layout, work: Path) -> None:
    image = layout.image("v1")
    udist = [sys.executable, "-m", "udist_plugin.cli.main", "copy"]
    with subprocess.Popen(
        [*udist, "oci:layout", "docker-archive:-:demo:v1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as writer:
        copied = subprocess.run(
            [*udist, "docker-archive:-", "oci:out"],
            stdin=writer.stdout,
            stdout=subprocess.PIPE,
            check=True,
            timeout=60,
            text=True,
        )
        assert writer.stderr is not None
        assert writer.stderr.read() == f"udist: {image['digest']}\n"
    assert copied.stdout == f"{image['digest']}\n"
    assert blobs_of(work / "out") == blobs_of(layout.root)


def test_an_interrupt_leaves_nothing_half_done(layout: Layout, work: Path) -> None:
    """While a registry keeps the blobs to itself."""
    image = layout.image("v1")
    manifest = layout.path(image["digest"]).read_bytes()
    waiting, over = threading.Event(), threading.Event()

    def answer(asked: Asked) -> Answer:
        if "/manifests/" in asked.target:
            return Answer(200, [("content-type", image["mediaType"])], manifest)
        if "/blobs/" in asked.target:
            waiting.set()
            over.wait(30)
        return Answer()

    words = [sys.executable, "-m", "udist_plugin.cli.main", "copy"]
    with serving(answer) as served:
        source = f"docker://127.0.0.1:{served.port}/demo:v1"
        for target in ("oci:out", "oci-archive:out.tar", "udist:demo"):
            waiting.clear()
            with subprocess.Popen(
                [*words, source, target], stdout=subprocess.PIPE, stderr=subprocess.PIPE
            ) as process:
                assert waiting.wait(30)
                process.send_signal(signal.SIGINT)
                assert process.wait(10) == -signal.SIGINT
        over.set()
    assert {path.name for path in work.iterdir()} <= {"README.md", "folder", "layout", "out"}
    assert not [path for path in (work / "out").rglob("*") if path.is_file()]


def test_what_refers_to_the_image_goes_along(udist: Udist, layout: Layout, work: Path) -> None:
    image = layout.image("v1")
    referrer = layout.referrer(image, b"text")["digest"]
    ran = udist("copy", "oci:layout:v1", "udist:demo:v1", "--referrers")
    assert ran == (0, f"{image['digest']}\n", "udist: what refers to the image: 1 manifest\n")
    assert udist("referrers", "demo:v1").out.split()[0] == referrer
    told = json.loads(udist("copy", "udist:demo:v1", "oci:out:v1", "--referrers", "--json").out)
    assert [each["digest"] for each in told["referrers"]] == [referrer]
    assert blobs_of(work / "out") == blobs_of(layout.root)
    assert udist("copy", "udist:demo:v1", "dir:folder", "--referrers").code == 1
