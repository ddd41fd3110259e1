"""``udist import`` and ``udist export``, and what other programs make of it."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
import subprocess
import sys
import tarfile
from typing import TYPE_CHECKING, Any

import pytest
from backports import zstd

from tests.images.layers import BASE, TOP, Tar, image
from tests.images.sample import blobs_of
from tests.remote.serving import Answer, Asked, serving
from tests.tools import run_tool
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.media_types import OCI_LAYER_TAR, OCI_LAYER_TAR_GZIP, OCI_LAYER_TAR_ZSTD, OCI_MANIFEST

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Ran
    from tests.images.sample import Layout

    Udist = Callable[..., Ran]

PLATFORM = ("--platform", "linux/amd64")


def files_of(path: Path) -> dict[str, tuple[Any, ...]]:
    """What is said of each, and its content; a hard link is as what it links to."""
    found: dict[str, tuple[Any, ...]] = {}
    with tarfile.open(path) as tar:
        for entry in tar:
            content = None if entry.issym() else tar.extractfile(entry)
            target = tar.getmember(entry.linkname) if entry.islnk() else entry
            found[entry.name.removeprefix("./").rstrip("/")] = (
                *(target.type, target.mode, target.uid, target.gid, target.mtime, target.linkname),
                {key: text for key, text in target.pax_headers.items() if key.startswith("SCHILY.xattr")},
                content.read() if content else None,
            )
    found.pop(".", None)
    found.pop("", None)
    return found


def names_of(path: Path) -> list[str]:
    with tarfile.open(path) as tar:
        return tar.getnames()


def test_what_the_layers_make_up(udist: Udist, layout: Layout, work: Path) -> None:
    image(layout, "v1", BASE, TOP)
    assert udist("export", "oci:layout:v1", "rootfs.tar") == (0, "", "")
    found = files_of(work / "rootfs.tar")
    assert {name: value[-1] for name, value in found.items()} == {
        "etc": None,
        "etc/passwd": b"root\nweb\n",
        "gone/again": b"y",
        "hard": b"root\n",
        "lib": None,
        "lib/new": b"new",
        "link": None,
    }
    assert found["etc"][1] == 0o700
    assert found["link"][5] == "etc/passwd"


def test_crane_and_umoci_make_the_same_files(udist: Udist, layout: Layout, stock: str, work: Path) -> None:
    """But for what crane gets wrong: a hard link to a file that an upper layer replaces, and a new file in a
    folder after its whiteout."""
    image(layout, "v1", BASE, TOP)
    assert udist("copy", "oci:layout:v1", f"docker://{stock}/demo:v1").code == 0
    assert udist("export", f"docker://{stock}/demo:v1", "ours.tar").code == 0
    run_tool("crane", "export", f"{stock}/demo:v1", "theirs.tar", cwd=work, timeout=60)
    ours, theirs = files_of(work / "ours.tar"), files_of(work / "theirs.tar")
    assert {name for name in ours if ours[name] != theirs.pop(name, None)} == {"hard", "gone/again"}
    assert theirs == {}
    run_tool("umoci", "unpack", "--rootless", "--image", "layout:v1", "bundle", cwd=work, timeout=60)
    (work / "ours").mkdir()
    run_tool("tar", "-xf", "../ours.tar", cwd=work / "ours", timeout=60)
    assert tree_of(work / "ours") == tree_of(work / "bundle/rootfs")


def tree_of(root: Path) -> dict[str, object]:
    """By name: a file's content, what a link leads to, nothing of others."""
    return {
        str(path.relative_to(root)): os.readlink(path)
        if path.is_symlink()
        else path.read_bytes()
        if path.is_file()
        else None
        for path in root.rglob("*")
    }


def test_hard_links(udist: Udist, layout: Layout, work: Path) -> None:
    """Of three names of a file, one is written again and one is deleted; in another layer, one is added."""
    base = Tar()
    base.add("b", b"123", mtime=7)
    base.add("a", type=tarfile.LNKTYPE, linkname="b").add("c", type=tarfile.LNKTYPE, linkname="b")
    image(
        layout,
        "v1",
        base.done(),
        Tar().add(".wh.b").add("a", b"456").done(),
        Tar().add("d/late", type=tarfile.LNKTYPE, linkname="c").done(),
    )
    assert udist("export", "oci:layout:v1", "rootfs.tar").code == 0
    with tarfile.open(work / "rootfs.tar") as tar:
        (linked,) = (entry for entry in tar if entry.islnk())
        assert {linked.name, linked.linkname} == {"c", "d/late"}
    found = files_of(work / "rootfs.tar")
    assert {name: (value[4], value[-1]) for name, value in found.items()} == {
        "a": (0, b"456"),
        "c": (7, b"123"),
        "d/late": (7, b"123"),
    }


def test_what_is_kept_of_a_file(udist: Udist, layout: Layout, work: Path) -> None:
    kept = {"uid": 1000, "gid": 100, "mode": 0o4755, "mtime": 1700000000.5}
    attributes = {"SCHILY.xattr.user.a": "b"}
    layer = (
        Tar()
        .add("with", b"x", **kept, pax_headers=attributes)
        .add("ü" * 90, b"y")
        .add("null", type=tarfile.CHRTYPE, devmajor=1, devminor=3)
        .add("pipe", type=tarfile.FIFOTYPE)
        .add("to", type=tarfile.SYMTYPE, linkname="ü" * 90)
        .done()
    )
    image(layout, "v1", layer)
    assert udist("export", "oci:layout:v1", "rootfs.tar").code == 0
    with tarfile.open(work / "rootfs.tar") as tar:
        entry = tar.getmember("with")
        assert {name: getattr(entry, name) for name in kept} == kept
        assert attributes.items() <= entry.pax_headers.items()
        assert (tar.getmember("null").devmajor, tar.getmember("null").devminor) == (1, 3)
        assert tar.getmember("pipe").isfifo()
        assert tar.getmember("to").linkname == "ü" * 90
        assert "ü" * 90 in tar.getnames()


def test_folders_come_before_what_lies_in_them(udist: Udist, layout: Layout, work: Path) -> None:
    """Also where an upper layer describes them again, for programs that make no missing folders."""
    image(
        layout,
        "v1",
        Tar().folder("a").folder("a/b").add("a/b/c").done(),
        Tar().folder("a/b", 0o500).folder("a", 0o711).done(),
    )
    assert udist("export", "oci:layout:v1", "rootfs.tar").code == 0
    assert names_of(work / "rootfs.tar") == ["a", "a/b", "a/b/c"]
    assert files_of(work / "rootfs.tar")["a"][1] == 0o711


def test_a_platform_of_an_index(udist: Udist, layout: Layout) -> None:
    children = [
        layout.image(platform=f"linux/{each}", layers=[each.encode()], listed=False)
        for each in ("amd64", "arm64")
    ]
    layout.image_index("v1", *children)
    told = json.loads(
        udist("export", "oci:layout:v1", "rootfs.tar", "--platform", "linux/arm64", "--json").out
    )
    assert told == {"path": "rootfs.tar", "reference": "oci:layout:v1", "digest": children[1]["digest"]}
    ran = udist("export", "oci:layout:v1", "other.tar")
    assert (ran.code, "choose an image with --platform" in ran.err) == (1, True)


def test_a_registry_is_asked_for_each_blob_once(udist: Udist, layout: Layout, work: Path) -> None:
    found = image(layout, "v1", BASE, TOP)

    def answer(asked: Asked) -> Answer:
        kind, _, target = asked.target.rpartition("/")
        content = layout.path(found["digest"] if target == "v1" else target).read_bytes()
        return Answer(200, [("content-type", OCI_MANIFEST)] if kind.endswith("manifests") else [], content)

    with serving(answer) as served:
        assert udist("export", f"docker://127.0.0.1:{served.port}/demo:v1", "theirs.tar").code == 0
    assert udist("export", "oci:layout:v1", "ours.tar").code == 0
    assert (work / "theirs.tar").read_bytes() == (work / "ours.tar").read_bytes()
    layers = [asked.target for asked in served.asked if "/blobs/" in asked.target]
    assert len(layers) == len(set(layers)) == 3


def test_an_export_that_fails_leaves_what_was_there(udist: Udist, layout: Layout, work: Path) -> None:
    (work / "rootfs.tar").write_text("before")
    found = image(layout, "v1", BASE, TOP)
    layer = json.loads(layout.path(found["digest"]).read_text())["layers"][1]["digest"]
    whole = layout.path(layer).read_bytes()
    for content, problem in ((whole[:-1], "size"), (whole[:-9] + bytes(9), "damaged")):
        layout.path(layer).write_bytes(content)
        ran = udist("export", "oci:layout:v1", "rootfs.tar")
        assert (ran.code, ran.out, problem in ran.err) == (1, "", True)
        assert udist("export", "oci:layout:v1").out == ""
    layout.path(layer).unlink()
    assert udist("export", "oci:layout:v1", "rootfs.tar").code == 3
    assert (work / "rootfs.tar").read_text() == "before"
    assert not [path for path in work.iterdir() if path.name.startswith(".udist")]


def test_holes_that_would_fill_the_disk(
    udist: Udist, layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sparse file of 1 TiB in a layer of some hundred bytes."""
    headers = {"GNU.sparse.size": str(1 << 40), "GNU.sparse.numblocks": "0", "GNU.sparse.map": "0,0"}
    image(layout, "v1", Tar().add("holes", pax_headers=headers).done())
    ran = udist("export", "oci:layout:v1", "rootfs.tar")
    assert (ran.code, "the files are more than 200 times as large as the layers" in ran.err) == (1, True)


def test_an_artifact_has_no_root_file_system(udist: Udist) -> None:
    udist("push", "demo", "README.md")
    ran = udist("export", "demo", "rootfs.tar")
    assert (ran.code, "it is no container image" in ran.err) == (1, True)


def test_an_export_needs_somewhere_to_go(udist: Udist, layout: Layout) -> None:
    image(layout, "v1", BASE)
    assert "--json needs a FILE" in udist("export", "oci:layout:v1", "--json").err
    assert udist("export", "oci:layout:v1", "/dev/null") == (0, "", "")
    assert os.path.exists("/dev/null") and not os.path.isfile("/dev/null")


ROOTFS = Tar().folder("etc").add("etc/os-release", b"ID=demo\n").add("a", b"a" * 5000).done()


@pytest.mark.parametrize(
    ("content", "media_type", "kept"),
    [
        (ROOTFS, OCI_LAYER_TAR_GZIP, False),
        (gzip.compress(ROOTFS, 1), OCI_LAYER_TAR_GZIP, True),
        (zstd.compress(ROOTFS), OCI_LAYER_TAR_ZSTD, True),
        (bz2.compress(ROOTFS), OCI_LAYER_TAR_GZIP, False),
        (lzma.compress(ROOTFS), OCI_LAYER_TAR_GZIP, False),
    ],
    ids=["tar", "gzip", "zstd", "bzip2", "xz"],
)
def test_whatever_it_is_compressed_with(
    udist: Udist, work: Path, content: bytes, media_type: str, kept: bool
) -> None:
    (work / "rootfs").write_bytes(content)
    ran = udist("import", "rootfs", "oci:out:v1", *PLATFORM)
    assert (ran.code, ran.err) == (0, "")
    blobs = blobs_of(work / "out")
    manifest = json.loads(blobs[ran.out.strip()])
    (layer,) = manifest["layers"]
    assert (layer["mediaType"], blobs[layer["digest"]] == content) == (media_type, kept)
    assert json.loads(blobs[manifest["config"]["digest"]]) == {
        "architecture": "amd64",
        "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": [str(Digest.of(ROOTFS))]},
    }
    assert udist("import", "rootfs", "demo:v1", *PLATFORM).out == ran.out
    assert udist("export", "demo:v1", "exported.tar").code == 0
    (work / "plain.tar").write_bytes(ROOTFS)
    assert files_of(work / "exported.tar") == files_of(work / "plain.tar")


def test_another_compression(udist: Udist, work: Path) -> None:
    for content in (ROOTFS, gzip.compress(ROOTFS), lzma.compress(ROOTFS)):
        (work / "rootfs").write_bytes(content)
        for compression, media_type in (("none", OCI_LAYER_TAR), ("zstd", OCI_LAYER_TAR_ZSTD)):
            ran = udist("import", "rootfs", "oci:out:v1", "--compression", compression)
            (layer,) = json.loads(blobs_of(work / "out")[ran.out.strip()])["layers"]
            assert layer["mediaType"] == media_type


def test_how_the_image_runs(udist: Udist, work: Path) -> None:
    (work / "rootfs.tar").write_bytes(ROOTFS)
    words = ["--entrypoint", "/bin/app --serve 'a b'", "--cmd", "-p 80", "--env", "A=b=c", "--env", "B="]
    words += ["--label", "x=y", "--user", "1000:100", "--workdir", "/srv", "--platform", "linux/arm/v7"]
    told = json.loads(udist("import", "rootfs.tar", "demo:v1", *words, "--json").out)
    assert told["reference"] == "demo:v1"
    config = json.loads(udist("inspect", "demo:v1", "--json").out)["config"]
    assert (config["os"], config["architecture"], config["variant"]) == ("linux", "arm", "v7")
    assert config["config"] == {
        "User": "1000:100",
        "Env": ["A=b=c", "B="],
        "Entrypoint": ["/bin/app", "--serve", "a b"],
        "Cmd": ["-p", "80"],
        "WorkingDir": "/srv",
        "Labels": {"x": "y"},
    }


def test_other_programs_take_what_was_imported(udist: Udist, work: Path, stock: str) -> None:
    (work / "rootfs.tar").write_bytes(ROOTFS)
    assert udist("import", "rootfs.tar", f"docker://{stock}/demo:v1", "--cmd", "/bin/sh", *PLATFORM).code == 0
    run_tool("crane", "validate", "--remote", f"{stock}/demo:v1", cwd=work, timeout=60)
    words = ["skopeo", "--insecure-policy", "copy", "-q", "--src-tls-verify=false"]
    run_tool(*words, f"docker://{stock}/demo:v1", "oci:taken:v1", cwd=work, timeout=60, HOME=str(work))
    run_tool("umoci", "unpack", "--rootless", "--image", "taken:v1", "bundle", cwd=work, timeout=60)
    assert (work / "bundle/rootfs/etc/os-release").read_bytes() == b"ID=demo\n"
    assert json.loads((work / "bundle/config.json").read_text())["process"]["args"] == ["/bin/sh"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "empty file"),
        (b"no tar" * 200, "is no tar archive"),
        (ROOTFS[:700], "is cut short: a tar ends with zeros"),
        (ROOTFS[:2048], "unexpected end of data"),
        (gzip.compress(ROOTFS)[:-9], "damaged"),
        (zstd.compress(ROOTFS)[:-5], "damaged"),
        (Tar().add("../../etc/passwd", b"x").done(), "leaves the image"),
        (Tar().add("a/../../b", b"x").done(), "leaves the image"),
        (Tar().add("hard", type=tarfile.LNKTYPE, linkname="/etc/shadow").done(), "which is not there"),
        (Tar().add("etc/.wh.passwd").done(), "names that begin with .wh. delete files"),
        (Tar().add("/".join("d" * 300), b"x").done(), "too deep"),
        (gzip.compress(bytes(30 << 20)), "more than 200 times its size"),
    ],
)
def test_hostile_archives(
    udist: Udist, work: Path, content: bytes, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each has an error that says what is wrong, and leaves what was under the name."""
    monkeypatch.setattr("udist_plugin.images.rootfs.content.FREE", 1 << 20)
    (work / "rootfs.tar").write_bytes(ROOTFS)
    before = udist("import", "rootfs.tar", "demo:v1").out
    (work / "rootfs.tar").write_bytes(content)
    ran = udist("import", "rootfs.tar", "demo:v1", "--json")
    assert (ran.code, ran.out) == (1, "")
    (error,) = json.loads(ran.err)["errors"]
    assert error["code"] == "IMAGE_INVALID"
    assert problem in error["message"]
    assert udist("digest", "demo:v1").out == before
    assert udist("import", "rootfs.tar", "oci:out:v1").code == 1
    assert not (work / "out").exists()


def test_an_image_without_files(udist: Udist, work: Path) -> None:
    """As ``tar -c -T /dev/null`` makes it."""
    (work / "rootfs.tar").write_bytes(bytes(10240))
    assert udist("import", "rootfs.tar", "demo:v1").code == 0
    assert udist("export", "demo:v1", "out.tar").code == 0
    assert names_of(work / "out.tar") == []


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["rootfs.tar", "Demo"], "no capital letters; use 'demo'"),
        (["rootfs.tar", "demo", "--env", "A"], "'A' is not KEY=VALUE"),
        (["rootfs.tar", "demo", "--platform", "linux"], "is no platform"),
        (["rootfs.tar", "demo", "--compression-level", "3"], "needs --compression"),
    ],
)
def test_wrong_command_lines(udist: Udist, words: list[str], problem: str) -> None:
    ran = udist("import", *words)
    assert (ran.code, problem in ran.err) == (2, True), ran.err


def test_there_is_no_such_archive(udist: Udist) -> None:
    ran = udist("import", "nowhere.tar", "demo")
    assert (ran.code, "nowhere.tar: No such file" in ran.err) == (1, True), ran.err


def test_from_and_to_a_pipe(layout: Layout, udist: Udist, work: Path) -> None:
    image(layout, "v1", BASE, TOP)
    words = [sys.executable, "-m", "udist_plugin.cli.main"]
    with subprocess.Popen([*words, "export", "oci:layout:v1"], stdout=subprocess.PIPE) as writer:
        done = subprocess.run(
            [*words, "import", "-", "demo:flat"],
            stdin=writer.stdout,
            stdout=subprocess.PIPE,
            check=True,
            timeout=60,
        )
    assert udist("digest", "demo:flat").out == done.stdout.decode()
    same = json.loads(udist("diff", "oci:layout:v1", "demo:flat", "--json").out)
    assert same["files"] == []


def test_memory_does_not_grow_with_the_files(work: Path) -> None:
    with open(work / "rootfs.tar", "wb") as out:
        out.write(Tar().add("big", os.urandom(200_000_000)).done())
    script = (
        "from udist_plugin.cli.running import run\n"
        "code = run(['import', 'rootfs.tar', 'oci:out:v1', '--compression', 'none'])\n"
        "code = code or run(['export', 'oci:out:v1', 'out.tar'])\n"
        "print(open('/proc/self/status').read().partition('VmHWM:')[2].split()[0])\n"
        "raise SystemExit(code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, check=True, timeout=120, cwd=work
    )
    assert int(done.stdout.split()[-1]) < 100_000
    assert (work / "out.tar").stat().st_size > 200_000_000
