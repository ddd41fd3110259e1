"""Layers that get another compression on their way, and what other programs make of them."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from backports import zstd

import udist_plugin
from tests.images.sample import Layout, blobs_of, entries_of, layer_tar
from tests.images.unjudged import copy_image
from tests.remote.loopback import stock_registry
from tests.tools import run_tool
from udist_plugin.errors import DigestChanged, DigestInvalid, ImageError, LayoutInvalid, ManifestInvalid
from udist_plugin.images import Compression
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.media_types import (
    DOCKER_LAYER,
    DOCKER_LAYER_ZSTD,
    DOCKER_MANIFEST,
    OCI_LAYER_TAR,
    OCI_LAYER_TAR_GZIP,
    OCI_LAYER_TAR_ZSTD,
    OCI_MANIFEST,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from udist_plugin.images.copying.copy import CopyResult

UNPACK: dict[str, Callable[[bytes], bytes]] = {
    "none": bytes,
    "gzip": gzip.decompress,
    "zstd": zstd.decompress,
}
TYPES = {"none": OCI_LAYER_TAR, "gzip": OCI_LAYER_TAR_GZIP, "zstd": OCI_LAYER_TAR_ZSTD}


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "layout")


class Copied:
    """A copy into ``out``, and what lies there."""

    def __init__(
        self, layout: Layout, compression: Compression | None, source: str = "v1", **more: Any
    ) -> None:
        self.root = layout.root.parent / "out"
        self.result: CopyResult = copy_image(
            f"oci:{layout.root}:{source}", f"oci:{self.root}:v1", compression=compression, **more
        )
        self.blobs = blobs_of(self.root)

    def document(self, digest: str | None = None) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.blobs[digest or self.result.descriptor.digest])
        return found


def check_image(copied: Copied, compression: str, digest: str | None = None) -> None:
    """Its layers are compressed so, and hold what the configuration says."""
    document = copied.document(digest)
    config = copied.document(document["config"]["digest"])
    assert {layer["mediaType"] for layer in document["layers"]} == {TYPES[compression]}
    plain = [UNPACK[compression](copied.blobs[layer["digest"]]) for layer in document["layers"]]
    assert [str(Digest.of(each)) for each in plain] == config["rootfs"]["diff_ids"]
    assert [layer["size"] for layer in document["layers"]] == [
        len(copied.blobs[layer["digest"]]) for layer in document["layers"]
    ]


@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
@pytest.mark.parametrize("compressed", [False, True])
def test_from_any_to_any(layout: Layout, compression: str, compressed: bool) -> None:
    image = layout.image("v1", compressed=compressed)
    copied = Copied(layout, Compression(compression))
    check_image(copied, compression)
    kept = {"none": not compressed, "gzip": compressed, "zstd": False}[compression]
    assert (copied.result.descriptor.digest == image["digest"]) == kept
    assert len(copied.result.moved) == 3
    assert copied.document()["config"] == json.loads(layout.path(image["digest"]).read_text())["config"]
    again = Copied(layout, Compression(compression))
    assert (again.result.descriptor, again.result.moved) == (copied.result.descriptor, [])


def test_every_image_of_an_index_and_nothing_else(layout: Layout) -> None:
    """An attestation among them stays as it is, as does a layer that an artifact has, too."""
    children = [layout.image(platform=f"linux/{each}", listed=False) for each in ("amd64", "arm64")]
    shared = json.loads(layout.path(children[0]["digest"]).read_text())["layers"][0]
    artifact = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": layout.blob(b"{}", "application/vnd.oci.empty.v1+json"),
        "layers": [shared, layout.blob(b"{}", "application/vnd.in-toto+json")],
    }
    other = layout.blob(json.dumps(artifact).encode(), OCI_MANIFEST)
    layout.image_index("v1", *children, other)
    copied = Copied(layout, Compression("zstd", 19))
    entries = copied.document()["manifests"]
    for entry, child in zip(entries[:2], children, strict=True):
        assert entry["platform"] == child["platform"]
        check_image(copied, "zstd", entry["digest"])
    assert entries[2] == other
    assert copied.blobs[shared["digest"]] == layout.path(shared["digest"]).read_bytes()


def test_a_level(layout: Layout) -> None:
    text = b"".join(
        path.read_bytes() for path in sorted(Path(udist_plugin.__file__).parent.glob("docs/*.md"))
    )
    layout.image("v1", layers=[text])
    sizes = [
        Copied(layout, Compression("zstd", level)).document()["layers"][0]["size"] for level in (1, None, 19)
    ]
    assert sizes[0] > sizes[1] > sizes[2]


@pytest.mark.parametrize(
    ("compression", "problem"),
    [
        (Compression("gzip", 10), "gzip: 10 is no compression level; expected 1 to 9"),
        (Compression("none", 1), "none: 1 is no compression level; expected no level"),
        (Compression("lz4"), "lz4: is no compression; expected one of none, gzip, zstd"),
    ],
)
def test_what_is_no_compression(layout: Layout, compression: Compression, problem: str) -> None:
    layout.image("v1")
    with pytest.raises(ImageError, match=problem):
        Copied(layout, compression)
    assert not (layout.root.parent / "out").exists()


def test_without_the_package_for_zstd(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    layout.image("v1")
    monkeypatch.setitem(sys.modules, "backports", None)
    with pytest.raises(ImageError, match=r"zstd needs a package: pip install '\.\[zstd\]'"):
        Copied(layout, Compression("zstd"))
    assert not (layout.root.parent / "out").exists()


def test_dockers_format_has_no_zstd(layout: Layout) -> None:
    """Which is said before anything is written; together with a conversion, both ways work."""
    layout.image("v1", docker=True)
    with pytest.raises(ImageError, match="no place for zstd; choose --format oci, or --compression gzip"):
        Copied(layout, Compression("zstd"))
    assert not (layout.root.parent / "out").exists()
    copied = Copied(layout, Compression("zstd"), image_format="oci")
    check_image(copied, "zstd")
    back = Layout(layout.root.parent / "back")
    copy_image(f"oci:{copied.root}:v1", f"oci:{back.root}:v1")
    with pytest.raises(ImageError, match="no place for zstd"):
        Copied(back, None, image_format="docker")
    document = Copied(back, Compression("gzip"), image_format="docker").document()
    assert document["mediaType"] == DOCKER_MANIFEST
    assert {layer["mediaType"] for layer in document["layers"]} == {DOCKER_LAYER}


def test_dockers_format_with_the_zstd_of_other_programs(layout: Layout) -> None:
    """Some write it nevertheless: it is kept, unless something else is asked for."""
    image = layout.image("v1", docker=True)
    document = json.loads(layout.path(image["digest"]).read_text())
    document["layers"] = [
        layout.blob(zstd.compress(layer_tar(each)), DOCKER_LAYER_ZSTD) for each in (b"one", b"two")
    ]
    given = layout.blob(json.dumps(document).encode(), DOCKER_MANIFEST)
    layout.add(given, "v2")
    assert Copied(layout, None, "v2").result.descriptor.digest == given["digest"]
    document = Copied(layout, Compression("gzip"), "v2").document()
    assert {layer["mediaType"] for layer in document["layers"]} == {DOCKER_LAYER}
    check_image(Copied(layout, None, "v2", image_format="oci"), "zstd")


def test_a_digest_that_is_to_be_preserved(layout: Layout) -> None:
    image = layout.image("v1", compressed=True)
    with pytest.raises(
        DigestChanged, match=f"{image['digest']}: would change, because 2 layers would be rec"
    ):
        Copied(layout, Compression("zstd"), preserve_digests=True)
    assert not (layout.root.parent / "out").exists()
    copied = Copied(layout, Compression("gzip"), preserve_digests=True)
    assert copied.result.descriptor.digest == image["digest"]


def test_a_dry_run_tells_the_digest(layout: Layout, tmp_path: Path) -> None:
    layout.image("v1")
    told = copy_image(
        f"oci:{layout.root}:v1", f"oci:{tmp_path / 'out'}:v1", compression=Compression("gzip"), dry_run=True
    )
    assert not (tmp_path / "out").exists()
    assert told == Copied(layout, Compression("gzip")).result


def spoilt(layout: Layout, layers: list[dict[str, Any]], diffs: object) -> None:
    image = json.loads(layout.path(layout.image()["digest"]).read_text())
    config = {"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": diffs}}
    image["layers"] = layers
    image["config"] = layout.blob(json.dumps(config).encode(), image["config"]["mediaType"])
    layout.add(layout.blob(json.dumps(image).encode(), OCI_MANIFEST), "v1")


def test_a_layer_that_is_not_what_the_configuration_says(layout: Layout) -> None:
    spoilt(layout, [layout.blob(layer_tar(b"one"), OCI_LAYER_TAR)], [Digest.of(layer_tar(b"other"))])
    with pytest.raises(DigestInvalid, match="does not match its digest in the configuration"):
        Copied(layout, Compression("gzip"))
    assert entries_of_out(layout) == []


@pytest.mark.parametrize("diffs", [[], None, ["sha256:0"], 1, [str(Digest.of(b""))] * 2])
def test_a_configuration_that_does_not_say_it(layout: Layout, diffs: object) -> None:
    spoilt(layout, [layout.blob(layer_tar(b"one"), OCI_LAYER_TAR)], diffs)
    with pytest.raises(ManifestInvalid, match=r"rootfs\.diff_ids|has 1 layers, its configuration \d"):
        Copied(layout, Compression("gzip"))
    assert not (layout.root.parent / "out").exists()


@pytest.mark.parametrize(
    "cut", [gzip.compress(layer_tar(b"one"))[:-9], b"\x1f\x8b" + bytes(100)], ids=["short", "bad"]
)
def test_a_damaged_layer(layout: Layout, cut: bytes) -> None:
    spoilt(layout, [layout.blob(cut, OCI_LAYER_TAR_GZIP)], [Digest.of(layer_tar(b"one"))])
    with pytest.raises(LayoutInvalid, match="damaged"):
        Copied(layout, Compression("zstd"))
    assert entries_of_out(layout) == []


def test_a_bomb(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("udist_plugin.images.rootfs.content.FREE", 1 << 20)
    zeros = bytes(30 << 20)
    spoilt(layout, [layout.blob(gzip.compress(zeros), OCI_LAYER_TAR_GZIP)], [Digest.of(zeros)])
    with pytest.raises(LayoutInvalid, match="more than 200 times its size"):
        Copied(layout, Compression("zstd"))
    assert entries_of_out(layout) == []


def test_a_blob_that_is_not_what_the_manifest_says(layout: Layout) -> None:
    image = layout.image("v1")
    layer = json.loads(layout.path(image["digest"]).read_text())["layers"][0]
    layout.path(layer["digest"]).write_bytes(layer_tar(b"six")[: layer["size"]])
    with pytest.raises(DigestInvalid):
        Copied(layout, Compression("gzip"))
    assert entries_of_out(layout) == []


def entries_of_out(layout: Layout) -> list[tuple[str | None, str]]:
    """What a failed copy has left under a name."""
    out = layout.root.parent / "out"
    return entries_of(out) if (out / "index.json").exists() else []


def test_annotations_of_the_compressed_bytes_go(layout: Layout) -> None:
    layer = layout.blob(
        layer_tar(b"one"),
        OCI_LAYER_TAR,
        annotations={"a": "b", "io.github.containers.zstd-chunked.manifest-position": "1:2:3:1"},
    )
    spoilt(layout, [layer], [layer["digest"]])
    assert Copied(layout, Compression("gzip")).document()["layers"][0]["annotations"] == {"a": "b"}


def test_memory_does_not_grow_with_the_layers(layout: Layout, tmp_path: Path) -> None:
    layout.image("v1", layers=[os.urandom(150_000_000)])
    script = (
        "import sys\n"
        "from udist_plugin.images import Compression, Policy, copy_image\n"
        "copy_image(*sys.argv[1:], policy=Policy.accepting_anything(), compression=Compression('gzip', 1))\n"
        "print(open('/proc/self/status').read().partition('VmHWM:')[2].split()[0])\n"
    )
    words = [sys.executable, "-c", script, f"oci:{layout.root}:v1", f"oci:{tmp_path / 'out'}:v1"]
    peak = int(subprocess.run(words, stdout=subprocess.PIPE, check=True, timeout=120).stdout)
    assert peak < 100_000


@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
def test_crane_and_containers_image_read_it(layout: Layout, tmp_path: Path, compression: str) -> None:
    layout.image("v1")
    with stock_registry(tmp_path / "store", "registry") as port:
        copy_image(
            f"oci:{layout.root}:v1",
            f"docker://127.0.0.1:{port}/demo:v1",
            compression=Compression(compression),
        )
        run_tool("crane", "export", f"127.0.0.1:{port}/demo:v1", "rootfs.tar", cwd=tmp_path, timeout=60)
        run_tool(
            *("containersimage", "copy", f"docker://127.0.0.1:{port}/demo:v1", "oci:taken:v1"),
            cwd=tmp_path,
            timeout=60,
            HOME=str(tmp_path),
        )
    with tarfile.open(tmp_path / "rootfs.tar") as rootfs:
        assert rootfs.extractfile("file").read() == b"two"  # type: ignore[union-attr]
    assert blobs_of(tmp_path / "taken") == Copied(layout, Compression(compression)).blobs


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_skopeo_and_umoci_unpack_it(layout: Layout, tmp_path: Path, compression: str) -> None:
    image = layout.image("v1")
    Copied(layout, Compression(compression))
    words = ["skopeo", "--insecure-policy", "copy", "-q", "oci:out:v1", "docker-archive:taken.tar:demo:v1"]
    run_tool(*words, cwd=tmp_path, timeout=60, HOME=str(tmp_path))
    with tarfile.open(tmp_path / "taken.tar") as archive:
        (item,) = json.loads(archive.extractfile("manifest.json").read())  # type: ignore[union-attr]
        layers = [archive.extractfile(name).read() for name in item["Layers"]]  # type: ignore[union-attr]
    assert [Digest.of(each) for each in layers] == [
        each["digest"] for each in json.loads(layout.path(image["digest"]).read_text())["layers"]
    ]
    run_tool("umoci", "unpack", "--rootless", "--image", "out:v1", "bundle", cwd=tmp_path, timeout=60)
    assert (tmp_path / "bundle/rootfs/file").read_bytes() == b"two"


def test_what_skopeo_compressed(layout: Layout, tmp_path: Path) -> None:
    """From its zstd back to what it was: the same bytes."""
    image = layout.image("v1")
    words = ["skopeo", "--insecure-policy", "copy", "-q", "--dest-compress-format", "zstd", "--dest-compress"]
    run_tool(*words, "oci:layout:v1", "oci:theirs:v1", cwd=tmp_path, timeout=60, HOME=str(tmp_path))
    theirs = blobs_of(tmp_path / "theirs")
    assert any(blob.startswith(b"\x28\xb5\x2f\xfd") for blob in theirs.values())
    copy_image(f"oci:{tmp_path / 'theirs'}:v1", f"oci:{tmp_path / 'out'}:v1", compression=Compression("none"))
    digest = entries_of(tmp_path / "out")[0][1]
    made, given = (
        json.loads(path)
        for path in (blobs_of(tmp_path / "out")[digest], layout.path(image["digest"]).read_bytes())
    )
    assert made["layers"] == given["layers"]
    assert made["config"] == given["config"]
