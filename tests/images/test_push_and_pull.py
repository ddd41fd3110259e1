"""What was pushed comes back, byte for byte, and nothing else happens."""

from __future__ import annotations

import io
import json
import os
import tempfile
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.images.comparing import content_of
from udist_plugin.errors import ArtifactError, DigestInvalid, ManifestUnknown, NoFiles
from udist_plugin.images.artifact import CONTENT_DIGEST, EMPTY, TITLE, UNPACK, manifest_of
from udist_plugin.images.placing import parts_of, place_file
from udist_plugin.images.pull import pull_artifact
from udist_plugin.images.push import Pushed, Source, push_artifact
from udist_plugin.oci.descriptor import Descriptor
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.manifest import Manifest
from udist_plugin.oci.media_types import OCI_INDEX, OCI_LAYER_TAR, OCI_LAYER_TAR_GZIP, OCI_MANIFEST

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from udist_plugin.remote.registry import RemoteRegistry

PATHS = ["read me.txt", "empty", "big", "folder"]


def push(registry: RemoteRegistry, *paths: str, tag: str = "v1") -> Pushed:
    return push_artifact(registry, "demo", [Source.of(path) for path in paths], tags=[tag])


def push_layer(registry: RemoteRegistry, content: bytes, **changes: object) -> None:
    """An artifact of one layer, described as ``changes`` say."""
    digest = Digest.of(content)
    registry.push_blob("demo", digest, io.BytesIO(content))
    layer = Descriptor(OCI_LAYER_TAR, digest, len(content), annotations={TITLE: "file"})._replace(**changes)  # type: ignore[arg-type]
    manifest = manifest_of([layer])
    registry.push_manifest("demo", Manifest.parse(manifest, OCI_MANIFEST), ["v1"])


def test_everything_comes_back(registry: RemoteRegistry, tree: Path, tmp_path: Path) -> None:
    pushed = push(registry, *PATHS)
    pulled = pull_artifact(registry, "demo", "v1", str(tmp_path / "out"))
    assert content_of(tmp_path / "out") == content_of(tree)
    assert pulled.manifest.content == pushed.manifest
    assert [file.path for file in pulled.files] == [str(tmp_path / "out" / path) for path in PATHS]
    assert pulled.unnamed == []


def test_the_same_files_make_the_same_digest(registry: RemoteRegistry, tree: Path) -> None:
    first = push(registry, *PATHS)
    for path in [tree, *tree.rglob("*")]:
        if not path.is_symlink():
            os.utime(path, (1, 1))
    assert push(registry, *PATHS).descriptor == first.descriptor
    (tree / "folder/a").chmod(0o600)
    assert push(registry, *PATHS).descriptor != first.descriptor


def test_the_order_of_the_disk_does_not_matter(
    registry: RemoteRegistry, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = push(registry, "folder")
    listdir = os.listdir
    monkeypatch.setattr(os, "listdir", lambda path: sorted(listdir(path), reverse=True))
    assert push(registry, "folder").descriptor == first.descriptor


def test_the_manifest_is_an_artifacts(registry: RemoteRegistry, tree: Path) -> None:
    subject = push(registry, "empty", tag="subject").descriptor
    pushed = push_artifact(
        registry,
        "demo",
        [Source("folder", "folder"), Source("empty", "empty", "text/plain")],
        artifact_type="application/x.test",
        annotations={"b": "2", "a": "1"},
        subject=subject,
    )
    document = json.loads(pushed.manifest)
    folder, empty = document.pop("layers")
    assert document == {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": "application/x.test",
        "config": EMPTY.to_json(),
        "subject": {"mediaType": OCI_MANIFEST, "digest": subject.digest, "size": subject.size},
        "annotations": {"a": "1", "b": "2"},
    }
    assert folder["mediaType"] == OCI_LAYER_TAR_GZIP
    assert list(folder["annotations"]) == [CONTENT_DIGEST, UNPACK, TITLE]
    assert (empty["mediaType"], empty["annotations"]) == ("text/plain", {TITLE: "empty"})
    assert registry.resolve_blob("demo", EMPTY.digest).size == 2
    assert [item.digest for item in registry.list_referrers("demo", subject.digest).items] == [
        pushed.descriptor.digest
    ]


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("a", "a"),
        ("./a/b", "a/b"),
        ("a/../b", "b"),
        ("../x/a", "a"),
        ("/x/y/a", "a"),
        (".", "work"),
        ("a/", "a"),
    ],
)
def test_a_path_inside_the_working_folder_keeps_its_words(tree: Path, path: str, title: str) -> None:
    assert Source.of(path).title == title


def test_what_cannot_be_pushed_is_said(registry: RemoteRegistry, tree: Path) -> None:
    os.mkfifo(tree / "folder/pipe")
    for paths, said in [
        (["folder"], "pipe: neither a file, a folder nor"),
        (["folder/pipe"], "neither a file nor a folder"),
        (["missing"], "missing: No such file or directory"),
        (["big", "./big"], "two files"),
        (["/"], "no file name"),
    ]:
        with pytest.raises(ArtifactError, match=said):
            push(registry, *paths)
    with pytest.raises(ArtifactError, match="not valid Unicode"):
        Source.of(os.fsdecode(b"\xff"))


@pytest.mark.parametrize("link", ["/etc/passwd", "../outside", "sub/../../outside", "a/../b"])
def test_a_folder_whose_link_leads_out_is_not_pushed(registry: RemoteRegistry, tree: Path, link: str) -> None:
    (tree / "folder/out").symlink_to(link)
    with pytest.raises(ArtifactError, match="points outside the folder"):
        push(registry, "folder")


def test_existing_files_are_replaced_unless_kept(
    registry: RemoteRegistry, tree: Path, tmp_path: Path
) -> None:
    push(registry, "read me.txt", "folder")
    out = tmp_path / "out"
    (out / "folder").mkdir(parents=True)
    (out / "folder/a").write_text("old")
    (out / "folder/mine").write_text("mine")
    with pytest.raises(ArtifactError, match="exists already"):
        pull_artifact(registry, "demo", "v1", str(out), overwrite=False)
    assert (out / "folder/a").read_text() == "old"
    assert not (out / "folder/sub").exists()
    pull_artifact(registry, "demo", "v1", str(out))
    assert content_of(out / "folder") == content_of(tree / "folder") | {"mine": (b"mine", False)}
    with pytest.raises(ArtifactError, match=r"read me\.txt: exists already"):
        pull_artifact(registry, "demo", "v1", str(out), overwrite=False)


def test_a_file_that_appears_meanwhile_is_kept_too(tmp_path: Path) -> None:
    target = tmp_path / "file"

    class Slow(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            target.write_text("somebody else's")
            return super().read(size)

    with pytest.raises(ArtifactError, match="exists already"):
        place_file(Slow(b"ours"), str(target), overwrite=False)
    assert content_of(tmp_path) == {"file": (b"somebody else's", False)}


def test_a_file_never_replaces_a_folder_nor_a_folder_a_file(
    registry: RemoteRegistry, tree: Path, tmp_path: Path
) -> None:
    push(registry, "empty", "folder")
    out = tmp_path / "out"
    (out / "empty").mkdir(parents=True)
    with pytest.raises(ArtifactError, match="a folder is in the place of a file"):
        pull_artifact(registry, "demo", "v1", str(out))
    out = tmp_path / "another"  # as the others may be in the first
    out.mkdir()
    (out / "folder").write_text("")
    with pytest.raises(ArtifactError, match="in the place of a folder"):
        pull_artifact(registry, "demo", "v1", str(out))
    out = tmp_path / "third"
    (out / "folder/sub").mkdir(parents=True)
    (out / "folder/a").mkdir()
    with pytest.raises(ArtifactError, match="a folder is in the place of a file"):
        pull_artifact(registry, "demo", "v1", str(out))


def test_nothing_is_written_through_a_link(registry: RemoteRegistry, tree: Path, tmp_path: Path) -> None:
    push(registry, "folder")
    push_artifact(registry, "demo", [Source("big", "folder/sub/big")], tags=["inner"])
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    elsewhere.mkdir()
    (out / "folder").mkdir(parents=True)
    (out / "folder/sub").symlink_to(elsewhere)
    for tag in ("v1", "inner"):
        with pytest.raises(ArtifactError, match="symbolic link"):
            pull_artifact(registry, "demo", tag, str(out))
    assert content_of(elsewhere) == {}


@pytest.mark.parametrize("title", ["/etc/x", "../x", "a/../../x", "a/..", "..", ".", "a\0b"])
def test_a_name_that_leads_out_is_refused(registry: RemoteRegistry, tmp_path: Path, title: str) -> None:
    push_layer(registry, b"content", annotations={TITLE: title})
    with pytest.raises(ArtifactError):
        pull_artifact(registry, "demo", "v1", str(tmp_path / "out"))
    assert content_of(tmp_path) == {}


@pytest.mark.skipif(os.name == "nt", reason="any name can be written there")
def test_a_name_that_cannot_be_written_is_refused() -> None:
    with pytest.raises(ArtifactError, match=r"'\\ud800': no file can have this name"):
        parts_of("\ud800")


def test_an_error_names_the_file_and_not_the_temporary_one(tmp_path: Path) -> None:
    target = str(tmp_path / "missing/file")
    with pytest.raises(FileNotFoundError) as caught:
        place_file(io.BytesIO(b"x"), target, overwrite=False)
    assert caught.value.filename == target


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_is_told_with_what_it_had_no_room_for(
    registry: RemoteRegistry, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(registry, "big")
    full = partial(open, "/dev/full", "wb")
    monkeypatch.setattr("udist_plugin.images.placing.create", lambda *_: full())
    with pytest.raises(OSError, match="No space left on device") as caught:
        pull_artifact(registry, "demo", "v1", str(tmp_path / "out"))
    assert caught.value.filename == str(tmp_path / "out/big")
    monkeypatch.setattr("tempfile.TemporaryFile", full)
    with pytest.raises(OSError, match="No space left on device") as caught:
        push(registry, "folder")
    assert caught.value.filename == tempfile.gettempdir()


def test_wrong_content_leaves_nothing_behind(registry: RemoteRegistry, tree: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    packed = push(registry, "folder")
    layer = Descriptor.from_json(json.loads(packed.manifest)["layers"][0])
    notes = {**layer.annotations, CONTENT_DIGEST: Digest.of(b"else")}
    with registry.open_blob("demo", layer.digest) as blob:
        content = blob.read()
    push_layer(registry, content, annotations=notes)
    with pytest.raises(DigestInvalid, match="unpacked content"):
        pull_artifact(registry, "demo", "v1", str(out))
    push_layer(registry, content, size=5)
    with pytest.raises(ArtifactError, match="the manifest says 5 bytes"):
        pull_artifact(registry, "demo", "v1", str(out))
    push_layer(registry, b"not gzip", annotations={TITLE: "x", UNPACK: "true"})
    with pytest.raises(ArtifactError, match=r"x: not a tar\+gzip"):
        pull_artifact(registry, "demo", "v1", str(out))
    push_layer(registry, content[:-9], annotations=layer.annotations)
    with pytest.raises(ArtifactError, match=r"folder: not a tar\+gzip"):
        pull_artifact(registry, "demo", "v1", str(out))
    assert content_of(out) == {}


def test_layers_without_a_name_are_left_alone(registry: RemoteRegistry, tmp_path: Path) -> None:
    layer = Descriptor(OCI_LAYER_TAR, EMPTY.digest, EMPTY.size)
    push_layer(registry, b"{}")
    manifest = manifest_of([layer, layer._replace(annotations={TITLE: "file"})])
    registry.push_manifest("demo", Manifest.parse(manifest, OCI_MANIFEST), ["v1"])
    pulled = pull_artifact(registry, "demo", "v1", str(tmp_path / "out"))
    assert ([file.path for file in pulled.files], pulled.unnamed) == ([str(tmp_path / "out/file")], [layer])


def test_an_artifact_without_named_layers_is_refused(registry: RemoteRegistry, tmp_path: Path) -> None:
    push_layer(registry, b"content", annotations={})
    with pytest.raises(NoFiles, match="no layer has a file name"):
        pull_artifact(registry, "demo", "v1", str(tmp_path / "out"))
    assert content_of(tmp_path) == {}


def test_two_layers_of_one_name_are_refused(registry: RemoteRegistry, tree: Path, tmp_path: Path) -> None:
    push(registry, "empty")
    layer = Descriptor(OCI_LAYER_TAR, Digest.of(b""), 0, annotations={TITLE: "a"})
    other = layer._replace(annotations={TITLE: "./a"})
    manifest = manifest_of([layer, other])
    registry.push_manifest("demo", Manifest.parse(manifest, OCI_MANIFEST), ["v2"])
    with pytest.raises(ArtifactError, match="two layers have this name"):
        pull_artifact(registry, "demo", "v2", str(tmp_path / "out"))


def test_an_index_is_not_an_artifact(registry: RemoteRegistry, tmp_path: Path) -> None:
    index = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}).encode()
    registry.push_manifest("demo", Manifest.parse(index, OCI_INDEX), ["v1"])
    with pytest.raises(ArtifactError, match="an index"):
        pull_artifact(registry, "demo", "v1", str(tmp_path))
    with pytest.raises(ManifestUnknown):
        pull_artifact(registry, "demo", "v2", str(tmp_path))


def test_progress_is_told(registry: RemoteRegistry, tree: Path, tmp_path: Path) -> None:
    told: list[tuple[str, object]] = []

    class Watch:
        def expect(self, files: int, size: int) -> None:
            told.append((f"expect {files}", size))

        def begin(self, doing: str, name: str, size: int | None, done: Callable[[], int]) -> Watch:
            told.append((f"{doing} {name}", size))
            self.done = done
            return self

        def end(self, how: str) -> None:
            told.append((how, self.done()))

        def __enter__(self) -> Watch:
            return self

        def __exit__(self, *_: object) -> None:
            told.append(("left", None))

    size = (tree / "big").stat().st_size
    for _ in range(2):
        push_artifact(registry, "demo", [Source.of("big")], tags=["v1"], progress=Watch())
    pull_artifact(registry, "demo", "v1", str(tmp_path), progress=Watch())
    expected, left = ("expect 1", size), ("left", None)
    hashed = [expected, ("hashing big", size), ("hashed", size), left]
    assert told == [
        *[*hashed, ("pushing big", size), ("pushed", size), left],
        *[*hashed, ("pushing big", size), ("exists", 0), left],
        *[expected, ("pulling big", size), ("pulled", size), left],
    ]
