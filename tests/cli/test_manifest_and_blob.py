"""``udist manifest`` and ``udist blob``."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.cli.test_failures import COMMAND
from tests.images.sample import blobs_of, entries_of
from tests.tools import run_tool
from udist_plugin.oci.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Ran
    from tests.images.sample import Layout

    Udist = Callable[..., Ran]


def test_manifests_of_every_place(udist: Udist, layout: Layout, stock: str, work: Path) -> None:
    image = layout.image("v1")
    raw = layout.path(image["digest"]).read_bytes()
    for place in ("udist:demo/app:v1", f"docker://{stock}/demo/app:v1", "oci-archive:a.tar:v1"):
        udist("copy", "oci:layout", place)
        assert udist("manifest", "get", place) == (0, raw.decode(), "")
    told = udist("manifest", "get", "demo/app:v1", "-o", "m.json", "--json")
    assert json.loads(told.out) == {
        "path": "m.json",
        **{key: image[key] for key in ("mediaType", "digest", "size")},
    }
    assert (work / "m.json").read_bytes() == raw
    fetched = run_tool("crane", "manifest", "--insecure", f"{stock}/demo/app:v1", cwd=work, timeout=60)
    assert fetched.encode() == raw


def test_a_manifest_is_put_as_it_is(udist: Udist, layout: Layout, stock: str, work: Path) -> None:
    image = layout.image("v1")
    digest = image["digest"]
    raw = layout.path(digest).read_bytes()
    (work / "m.json").write_bytes(raw)
    there = f"docker://{stock}/demo/app"
    for place in ("udist:demo/app:v1", f"{there}:v1"):
        udist("copy", "oci:layout", place)
    for place in ("demo/app:v2", f"{there}:v2", f"{there}@{digest}", "oci:layout:v2"):
        assert udist("manifest", "put", place, "m.json") == (0, f"{digest}\n", "")
    assert udist("tags", "demo/app").out == udist("tags", there).out == "v1\nv2\n"
    assert entries_of(layout.root) == [("v1", digest), ("v2", digest)]
    assert udist("manifest", "get", f"{there}:v2").out == raw.decode()


def test_a_manifest_that_cannot_be_put(udist: Udist, layout: Layout, work: Path) -> None:
    image = layout.image("v1")
    raw = layout.path(image["digest"]).read_bytes()
    (work / "m.json").write_bytes(raw)
    (work / "no.json").write_text("[]")
    (work / "large.json").write_bytes(b" " * ((4 << 20) + 1))
    before = (layout.root / "index.json").read_bytes()
    for place, file, code in (
        ("demo/app:v1", "m.json", "MANIFEST_BLOB_UNKNOWN"),
        ("oci:other:v1", "m.json", "MANIFEST_BLOB_UNKNOWN"),
        ("oci-archive:a.tar:v1", "m.json", "MANIFEST_BLOB_UNKNOWN"),
        (f"demo/app@sha256:{'0' * 64}", "m.json", "DIGEST_INVALID"),
        ("oci:layout:v2", "no.json", "MANIFEST_INVALID"),
        ("oci:layout:v2", "large.json", "SIZE_INVALID"),
        ("oci:layout:@0", "m.json", "IMAGE_INVALID"),
        ("oci:layout:v2", "absent.json", "FILE_FAILED"),
    ):
        ran = udist("manifest", "put", place, file, "--json")
        assert (ran.code, ran.out) == (1, "")
        assert json.loads(ran.err)["errors"][0]["code"] == code
    assert (layout.root / "index.json").read_bytes() == before
    assert not (work / "a.tar").exists()
    assert not (work / "other").exists()


def test_blobs_there_and_back(udist: Udist, layout: Layout, stock: str, work: Path) -> None:
    content = os.urandom(3_000_000)
    digest = Digest.of(content)
    (work / "blob").write_bytes(content)
    layout.image("v1")
    udist("copy", "oci:layout", "oci-archive:a.tar")
    there = f"docker://{stock}/demo/app"
    for place in ("demo/app", f"demo/other@{digest}", there, "oci:layout"):
        for _ in range(2):
            assert udist("blob", "put", place, "blob") == (0, f"{digest}\n", "")
    for place in ("demo/app@", f"{there}@", "oci:layout:@"):
        assert udist("blob", "get", place + digest, "-o", "got") == (0, "", "")
        assert (work / "got").read_bytes() == content
        (work / "got").unlink()
    assert blobs_of(layout.root)[digest] == content
    config = json.loads(layout.path(layout.entries[0]["digest"]).read_text())["config"]["digest"]
    assert udist("blob", "get", f"oci-archive:a.tar:@{config}").out == layout.path(config).read_text()
    got = subprocess.run(
        ["oras", "blob", "fetch", "--plain-http", "-o", "-", f"{stock}/demo/app@{digest}"],
        stdout=subprocess.PIPE,
        check=True,
        timeout=60,
    )
    assert got.stdout == content


def test_blobs_through_pipes(work: Path) -> None:
    content = os.urandom(2_000_000)
    put = subprocess.run(
        [*COMMAND, "blob", "put", "demo/app", "-"], input=content, stdout=-1, timeout=60, check=True
    )
    digest = put.stdout.decode().strip()
    assert digest == Digest.of(content)
    got = subprocess.run(
        [*COMMAND, "blob", "get", f"demo/app@{digest}"], stdout=subprocess.PIPE, timeout=60, check=True
    )
    assert got.stdout == content


def test_sha512(udist: Udist, work: Path) -> None:
    (work / "blob").write_bytes(b"content")
    digest = f"sha512:{hashlib.sha512(b'content').hexdigest()}"
    assert udist("blob", "put", f"demo/app@{digest}", "blob") == (0, f"{digest}\n", "")
    assert udist("blob", "get", f"demo/app@{digest}") == (0, "content", "")
    wrong = udist("blob", "put", f"demo/app@sha512:{'0' * 128}", "blob")
    assert (wrong.code, wrong.out) == (1, "")


def test_a_spoiled_blob_is_never_a_file(udist: Udist, layout: Layout, work: Path) -> None:
    layout.image("v1")
    for descriptor in json.loads(layout.path(layout.entries[0]["digest"]).read_text())["layers"]:
        path = layout.path(descriptor["digest"])
        path.write_bytes(bytes(len(path.read_bytes())))
        (work / "out").write_text("before")
        assert udist("blob", "get", f"oci:layout:@{descriptor['digest']}", "-o", "out").code == 1
        assert (work / "out").read_text() == "before"
        assert udist("blob", "get", f"oci:layout:@{descriptor['digest']}").code == 1
    assert sorted(path.name for path in work.iterdir()) == ["README.md", "folder", "layout", "out"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["blob", "get", "demo/app:v1"], 2, "a blob has a digest; give it after @"),
        (["blob", "get", "oci:layout:@0"], 2, "a blob has a digest; give it after @"),
        (["blob", "get", f"demo/app@sha256:{'0' * 64}"], 3, "unknown"),
        (["blob", "get", f"oci:layout:@sha256:{'0' * 64}"], 3, "blob unknown to registry"),
        (["blob", "get", f"demo/app@sha256:{'0' * 64}", "--json"], 3, "unknown"),
        (["blob", "put", "demo/app:v1", "README.md"], 2, "give 'demo/app' alone, or a digest after @"),
        (["blob", "put", "oci-archive:a.tar", "README.md"], 2, "blobs are put into registries and layouts"),
        (["blob", "put", "demo/app", "absent"], 1, "absent: No such file"),
        (["blob", "put", "demo/app", "folder"], 1, "folder: Is a directory"),
        (["blob", "put", "oci:folder", "README.md"], 1, "neither an OCI layout nor empty"),
        (["manifest", "get", "oci:layout:v1", "--json"], 2, "--json needs a FILE"),
        (["manifest", "get", "oci:layout:v1", "-o", "folder"], 1, "a folder is in the place of a file"),
        (["manifest"], 2, "usage: udist manifest"),
    ],
)
def test_what_is_wrong_is_named(udist: Udist, layout: Layout, words: list[str], code: int, said: str) -> None:
    layout.image("v1")
    ran = udist(*words)
    assert (ran.code, ran.out) == (code, "")
    assert said in ran.err
