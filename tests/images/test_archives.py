"""Archives: in any order, compressed or not, files and pipes; and what is damaged."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import subprocess
import sys
import tarfile
import threading
from functools import partial
from typing import TYPE_CHECKING

import pytest
from backports import zstd

from tests.images.sample import Layout, blobs_of, entries_of, layer_tar
from tests.images.unjudged import copy_image
from udist_plugin.errors import (
    DigestInvalid,
    ImageAmbiguous,
    ImageError,
    ImageUnknown,
    LayoutInvalid,
    PlatformUnknown,
)
from udist_plugin.images.archive import opening
from udist_plugin.images.platforms import Platform
from udist_plugin.oci.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

Members = list[tuple[str, bytes]]


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "layout")


def members_of(folder: Path) -> Members:
    return [
        (str(path.relative_to(folder)), path.read_bytes()) for path in folder.rglob("*") if path.is_file()
    ]


def tar_of(members: Iterable[tuple[str, bytes]], tar_format: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tar_format) as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


def docker_save(
    *images: tuple[list[str], list[bytes]], compress: Callable[[bytes], bytes] = bytes
) -> Members:
    """Docker's old form, of images by their names and layers."""
    table: list[dict[str, object]] = []
    members: dict[str, bytes] = {}
    for names, layers in images:
        tars = [layer_tar(layer) for layer in layers]
        diffs = [str(Digest.of(tar)) for tar in tars]
        config = json.dumps({"os": "linux", "architecture": "amd64", "rootfs": {"diff_ids": diffs}}).encode()
        files = [f"{Digest.of(tar).hex}/layer.tar" for tar in tars]
        members |= dict(zip(files, map(compress, tars), strict=True))
        members[f"{Digest.of(config).hex}.json"] = config
        table.append({"Config": f"{Digest.of(config).hex}.json", "RepoTags": names, "Layers": files})
    return [*members.items(), ("manifest.json", json.dumps(table).encode())]


@pytest.mark.parametrize(
    "arranged",
    [
        lambda members: tar_of(sorted(members)),
        lambda members: tar_of(sorted(members, reverse=True)),
        lambda members: tar_of([(f"./{name}", content) for name, content in members]),
        lambda members: tar_of(members, tarfile.GNU_FORMAT),
        lambda members: gzip.compress(tar_of(members)),
        lambda members: gzip.compress(tar_of(members)[:1000]) + gzip.compress(tar_of(members)[1000:]),
        lambda members: bz2.compress(tar_of(members)),
        lambda members: lzma.compress(tar_of(members)),
        lambda members: zstd.compress(tar_of(members)),
    ],
    ids=["sorted", "reversed", "dots", "gnu", "gzip", "gzip-twice", "bzip2", "xz", "zstd"],
)
def test_an_archived_layout_in_any_form(
    layout: Layout, tmp_path: Path, arranged: Callable[[Members], bytes]
) -> None:
    image = layout.image("v1", algorithm="sha512")
    (tmp_path / "a.tar").write_bytes(arranged(members_of(layout.root)))
    copy_image(f"oci-archive:{tmp_path / 'a.tar'}:v1", f"oci:{tmp_path / 'out'}:v1")
    assert blobs_of(tmp_path / "out") == blobs_of(layout.root)
    assert entries_of(tmp_path / "out") == [("v1", image["digest"])]


def test_written_and_read_again(layout: Layout, tmp_path: Path) -> None:
    children = [layout.image(platform=f"linux/{each}", listed=False) for each in ("amd64", "arm64")]
    index = layout.image_index("v1", *children)
    archive = tmp_path / "a.tar"
    archive.write_text("what was there")
    copied = copy_image(f"oci:{layout.root}", f"oci-archive:{archive}:v1")
    assert copied.descriptor.digest == index["digest"]
    copy_image(f"oci-archive:{archive}:v1", f"oci:{tmp_path / 'out'}:v1")
    assert blobs_of(tmp_path / "out") == blobs_of(layout.root)
    again = tmp_path / "b.tar"
    copy_image(f"oci:{layout.root}", f"oci-archive:{again}:v1", concurrency=1)
    with tarfile.open(archive) as one, tarfile.open(again) as two:
        assert sorted(one.getnames()) == sorted(two.getnames())
        assert {(each.mtime, each.uid, each.mode) for each in two} == {(0, 0, 0o644)}


@pytest.mark.parametrize("transport", ["oci-archive", "docker-archive"])
def test_a_failure_leaves_the_archive_that_was_there(layout: Layout, tmp_path: Path, transport: str) -> None:
    image = layout.image("v1", layers=[b"first", b"spoilt"])
    layer = layout.path(json.loads(layout.path(image["digest"]).read_text())["layers"][1]["digest"])
    layer.write_bytes(bytes(layer.stat().st_size))
    archive = tmp_path / "a.tar"
    archive.write_text("what was there")
    with pytest.raises(DigestInvalid):
        copy_image(f"oci:{layout.root}:v1", f"{transport}:{archive}")
    assert archive.read_text() == "what was there"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tar", "layout"]


def test_a_blob_that_failed_is_taken_back_and_the_rest_stays(layout: Layout, tmp_path: Path) -> None:
    """A second attempt at it goes well, as after a connection that broke."""
    from udist_plugin.images.archive.writing import TarWriter

    tar = TarWriter(str(tmp_path / "a.tar"))
    with tar.add("one", 3) as out:
        out.write(b"one")
    with pytest.raises(RuntimeError), tar.add("two", 100_000) as out:
        out.write(bytes(50_000))
        raise RuntimeError
    with tar.add("two", 3) as out:
        out.write(b"two")
    tar.finish()
    tar.close()
    assert (tmp_path / "a.tar").stat().st_size == 2 * 2 * 512 + 1024
    with tarfile.open(tmp_path / "a.tar") as read:
        assert {each.name: read.extractfile(each).read() for each in read} == {"one": b"one", "two": b"two"}  # type: ignore[union-attr]


gzipped = partial(gzip.compress, mtime=0)


@pytest.mark.parametrize("compress", [bytes, gzipped, zstd.compress], ids=["tar", "gzip", "zstd"])
def test_docker_save_of_old(tmp_path: Path, compress: Callable[[bytes], bytes]) -> None:
    """Layers keep their bytes, and are called what they are."""
    archive = tmp_path / "a.tar"
    archive.write_bytes(tar_of(docker_save((["app:v1"], [b"one", b"two"]), compress=compress)))
    copied = copy_image(f"docker-archive:{archive}:app:v1", f"oci:{tmp_path / 'out'}:v1")
    blobs = blobs_of(tmp_path / "out")
    layers = json.loads(blobs[copied.descriptor.digest])["layers"]
    assert [blobs[layer["digest"]] for layer in layers] == [
        compress(layer_tar(each)) for each in (b"one", b"two")
    ]
    end = {bytes: "tar", gzipped: "tar.gzip", zstd.compress: "tar.zstd"}[compress]
    assert {layer["mediaType"] for layer in layers} == {f"application/vnd.docker.image.rootfs.diff.{end}"}


def test_docker_save_of_today_keeps_the_digest(layout: Layout, tmp_path: Path) -> None:
    image = layout.image("v1", layers=[b"one", b"one", b"two"])  # one layer twice
    copy_image(f"oci:{layout.root}:v1", f"docker-archive:{tmp_path / 'a.tar'}:r.test/app:v1")
    for source in (
        f"docker-archive:{tmp_path / 'a.tar'}",
        f"docker-archive:{tmp_path / 'a.tar'}:r.test/app:v1",
        f"oci-archive:{tmp_path / 'a.tar'}:v1",
        f"oci-archive:{tmp_path / 'a.tar'}:r.test/app:v1",
    ):
        assert copy_image(source, f"oci:{tmp_path / 'out'}").descriptor.digest == image["digest"]
    assert blobs_of(tmp_path / "out") == blobs_of(layout.root)
    with tarfile.open(tmp_path / "a.tar") as tar:
        table = json.load(tar.extractfile("manifest.json"))  # type: ignore[arg-type]
    assert table[0]["RepoTags"] == ["r.test/app:v1"]
    assert len(table[0]["Layers"]) == 3


def test_images_of_a_docker_archive_by_name_and_position(tmp_path: Path) -> None:
    archive = tmp_path / "a.tar"
    archive.write_bytes(
        tar_of(docker_save((["a:1", "x.test/a"], [b"one"]), (["b:1"], [b"two"]), ([], [b"three"])))
    )

    def layer_of(image: str) -> bytes:
        copied = copy_image(f"docker-archive:{archive}{image}", f"oci:{tmp_path / 'out'}")
        return blobs_of(tmp_path / "out")[
            json.loads(blobs_of(tmp_path / "out")[copied.descriptor.digest])["layers"][0]["digest"]
        ]

    assert (
        layer_of(":a:1")
        == layer_of(":docker.io/library/a:1")
        == layer_of(":x.test/a:latest")
        == layer_tar(b"one")
    )
    assert layer_of(":b:1") == layer_of(":@1") == layer_tar(b"two")
    assert layer_of(":@2") == layer_tar(b"three")
    with pytest.raises(
        ImageAmbiguous, match=r"choose one by its name or position: a:1, x.test/a, b:1, @2 \(no name\)"
    ):
        layer_of("")
    for image in (":c:1", ":a:2", ":@3", ":1"):
        with pytest.raises(ImageUnknown, match=r"it has a:1, x\.test/a, b:1"):
            layer_of(image)


def test_two_images_of_one_name_in_a_docker_archive(tmp_path: Path) -> None:
    archive = tmp_path / "a.tar"
    archive.write_bytes(tar_of(docker_save((["a:1"], [b"one"]), (["docker.io/library/a:1"], [b"two"]))))
    with pytest.raises(ImageAmbiguous, match="two images are called a:1"):
        copy_image(f"docker-archive:{archive}:a:1", f"oci:{tmp_path / 'out'}")


def test_a_docker_archive_takes_one_platform(layout: Layout, tmp_path: Path) -> None:
    children = [layout.image(platform=each, listed=False) for each in ("linux/amd64", "linux/arm64/v8")]
    layout.image_index("v1", *children)
    target = f"docker-archive:{tmp_path / 'a.tar'}:app:v1"
    with pytest.raises(ImageAmbiguous, match="choose a platform: linux/amd64, linux/arm64/v8"):
        copy_image(f"oci:{layout.root}", target)
    with pytest.raises(PlatformUnknown, match="linux/s390x"):
        copy_image(f"oci:{layout.root}", target, platforms=[Platform("linux", "s390x")])
    assert not (tmp_path / "a.tar").exists()
    copied = copy_image(f"oci:{layout.root}", target, platforms=[Platform("linux", "arm64")])
    assert copied.descriptor.digest == children[1]["digest"]


def test_links_inside_are_followed_and_others_refused(tmp_path: Path) -> None:
    members = docker_save((["a:1"], [b"one"]))
    layer = next(name for name, _ in members if name.endswith("layer.tar"))
    for target, problem in (
        ("../real/layer.tar", None),
        ("../../etc/passwd", "leaves"),
        ("/etc/passwd", "leaves"),
        ("layer.tar", "more than 8 links"),
    ):
        archive = tmp_path / "a.tar"
        with tarfile.open(archive, "w") as tar:
            for name, content in members:
                info = tarfile.TarInfo("real/layer.tar" if name == layer else name)
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
            link = tarfile.TarInfo(layer)
            link.type, link.linkname = tarfile.SYMTYPE, target
            tar.addfile(link)
        if problem is None:
            copy_image(f"docker-archive:{archive}", f"oci:{tmp_path / 'out'}")
        else:
            with pytest.raises(LayoutInvalid, match=problem):
                copy_image(f"docker-archive:{archive}", f"oci:{tmp_path / 'out2'}")
    assert not (tmp_path / "out2").exists()


@pytest.mark.parametrize("transport", ["oci-archive", "docker-archive"])
@pytest.mark.parametrize("wrapped", [bytes, gzip.compress, bz2.compress, lzma.compress, zstd.compress])
def test_an_archive_that_is_cut_short(
    layout: Layout, tmp_path: Path, transport: str, wrapped: Callable[[bytes], bytes]
) -> None:
    layout.image("v1", layers=[os.urandom(200_000)])
    copy_image(f"oci:{layout.root}", f"{transport}:{tmp_path / 'a.tar'}")
    whole = wrapped((tmp_path / "a.tar").read_bytes())
    for part in (0.1, 0.5, 0.9):
        (tmp_path / "b.tar").write_bytes(whole[: int(len(whole) * part)])
        with pytest.raises((LayoutInvalid, ImageUnknown)):
            copy_image(f"{transport}:{tmp_path / 'b.tar'}", f"oci:{tmp_path / 'out'}")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "content", [b"", b"text", b"\x1f\x8b broken", b"BZh9 broken", b"\x28\xb5\x2f\xfd broken"]
)
def test_what_is_no_archive(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.tar").write_bytes(content)
    with pytest.raises((LayoutInvalid, ImageUnknown), match=str(tmp_path)):
        copy_image(f"oci-archive:{tmp_path / 'a.tar'}", f"oci:{tmp_path / 'out'}")
    with pytest.raises(ImageUnknown, match="no such archive"):
        copy_image(f"oci-archive:{tmp_path / 'nothing.tar'}", f"oci:{tmp_path / 'out'}")


def test_a_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "FREE", 1 << 20)
    (tmp_path / "a.tar").write_bytes(gzip.compress(bytes(64 << 20)))
    with pytest.raises(LayoutInvalid, match="unpacks to more than 200 times its size"):
        copy_image(f"oci-archive:{tmp_path / 'a.tar'}", f"oci:{tmp_path / 'out'}")


def test_a_docker_archive_that_contradicts_itself(tmp_path: Path) -> None:
    members = dict(docker_save((["a:1"], [b"one", b"two"])))
    table = json.loads(members["manifest.json"])

    def refused(kind: type[Exception], match: str, **changes: bytes) -> None:
        (tmp_path / "a.tar").write_bytes(tar_of({**members, **changes}.items()))
        with pytest.raises(kind, match=match):
            copy_image(f"docker-archive:{tmp_path / 'a.tar'}", f"oci:{tmp_path / 'out'}")

    first, second = table[0]["Layers"]
    refused(DigestInvalid, "does not match its digest", **{first: members[second]})
    refused(ImageError, "compressed with xz", **{first: lzma.compress(members[first])})
    refused(
        LayoutInvalid,
        "2 layers, manifest.json 1",
        **{"manifest.json": json.dumps([{**table[0], "Layers": [first]}]).encode()},
    )
    refused(
        LayoutInvalid,
        "has no gone",
        **{"manifest.json": json.dumps([{**table[0], "Layers": [first, "gone"]}]).encode()},
    )
    refused(
        LayoutInvalid,
        "has no gone",
        **{"manifest.json": json.dumps([{**table[0], "Config": "gone"}]).encode()},
    )
    refused(LayoutInvalid, "expected Config", **{"manifest.json": b"{}x"})
    refused(LayoutInvalid, "expected Config", **{"manifest.json": b'[{"Config": 1}]'})
    refused(ImageUnknown, "it has none", **{"manifest.json": b"[]"})
    assert not (tmp_path / "out").exists()


COPY = "import sys; from tests.images.unjudged import copy_image; copy_image(*sys.argv[1:])"


def test_from_and_to_pipes(layout: Layout, tmp_path: Path) -> None:
    layout.image("v1", layers=[os.urandom(3_000_000)])
    for transport in ("oci-archive", "docker-archive"):
        with (
            subprocess.Popen(
                [sys.executable, "-c", COPY, f"oci:{layout.root}:v1", f"{transport}:-"],
                stdout=subprocess.PIPE,
            ) as writer,
            subprocess.Popen(["gzip"], stdin=writer.stdout, stdout=subprocess.PIPE) as packer,
        ):
            reader = subprocess.run(
                [sys.executable, "-c", COPY, f"{transport}:-", f"oci:{tmp_path / transport}:v1"],
                stdin=packer.stdout,
                check=False,
                timeout=60,
            )
        assert (writer.returncode, packer.returncode, reader.returncode) == (0, 0, 0)
        assert blobs_of(tmp_path / transport) == blobs_of(layout.root)


def test_a_pipe_that_gives_its_beginning_byte_by_byte(layout: Layout, tmp_path: Path) -> None:
    layout.image("v1", layers=[b"one"])
    content = zstd.compress(tar_of(members_of(layout.root)))
    os.mkfifo(tmp_path / "pipe")

    def write() -> None:
        with open(tmp_path / "pipe", "wb", buffering=0) as pipe:
            for start in range(8):
                pipe.write(content[start : start + 1])
            pipe.write(content[8:])

    writer = threading.Thread(target=write)
    writer.start()
    copy_image(f"oci-archive:{tmp_path / 'pipe'}", f"oci:{tmp_path / 'out'}")
    writer.join(30)
    assert blobs_of(tmp_path / "out") == blobs_of(layout.root)


def test_named_pipes(layout: Layout, tmp_path: Path) -> None:
    layout.image("v1", layers=[os.urandom(300_000)])
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(
        target=copy_image, args=(f"oci:{layout.root}", f"oci-archive:{tmp_path / 'pipe'}")
    )
    writer.start()
    copy_image(f"oci-archive:{tmp_path / 'pipe'}", f"oci:{tmp_path / 'out'}")
    writer.join(30)
    assert blobs_of(tmp_path / "out") == blobs_of(layout.root)
