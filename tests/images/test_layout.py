"""OCI layouts: which image a name means, and what writing one leaves as it is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.images.sample import NAME, Layout, blobs_of, entries_of
from tests.images.unjudged import copy_image
from udist_plugin.errors import (
    BlobUnknown,
    DigestInvalid,
    ImageAmbiguous,
    ImageError,
    ImageUnknown,
    LayoutInvalid,
    ManifestUnknown,
    SizeInvalid,
)
from udist_plugin.images.transports import parse_image_name

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "layout")


def digest_at(layout: Layout, image: str = "") -> str:
    """The image that is found under a name."""
    with parse_image_name(f"oci:{layout.root}{image}").new_image_source() as source:
        return source.get_manifest().digest


def test_an_image_by_name_position_and_digest(layout: Layout) -> None:
    one, two = layout.image("v1"), layout.image("team/app", layers=[b"other"])
    assert digest_at(layout, ":v1") == digest_at(layout, ":@0") == one["digest"]
    assert digest_at(layout, ":team/app") == digest_at(layout, ":@1") == two["digest"]
    assert digest_at(layout, f":@{two['digest']}") == two["digest"]


@pytest.mark.parametrize("image", [":v2", ":@2", ":@sha256:" + "0" * 64])
def test_what_is_not_there_lists_what_is(layout: Layout, image: str) -> None:
    layout.image("v1")
    unnamed = layout.image(layers=[b"other"])
    with pytest.raises(ImageUnknown, match=f"it has v1, @{unnamed['digest']}$"):
        digest_at(layout, image)


def test_the_only_image_needs_no_name(layout: Layout) -> None:
    one = layout.image()
    assert digest_at(layout) == one["digest"]
    layout.add(one, "v1")  # the same one again
    assert digest_at(layout) == one["digest"]


def test_several_images_and_no_name(layout: Layout) -> None:
    one, two = layout.image("v1"), layout.image(layers=[b"other"])
    with pytest.raises(
        ImageAmbiguous, match=f"more than one image; choose one of @{one['digest']} .v1., @{two['digest']}$"
    ):
        digest_at(layout)


def test_two_images_of_one_name(layout: Layout) -> None:
    one, two = layout.image("v1"), layout.image("v1", layers=[b"other"])
    with pytest.raises(ImageAmbiguous, match=f"two images are called 'v1'.*{one['digest']}.*{two['digest']}"):
        digest_at(layout, ":v1")
    assert digest_at(layout, f":@{two['digest']}") == two["digest"]


def test_an_index_and_its_images_listed_beside_it_are_one_image(layout: Layout) -> None:
    """As oras writes it."""
    children = [layout.image(platform=f"linux/{each}") for each in ("amd64", "arm64")]
    index = layout.image_index("v1", *children)
    assert digest_at(layout) == index["digest"]
    assert digest_at(layout, f":@{children[1]['digest']}") == children[1]["digest"]


def test_containerds_whole_name(layout: Layout) -> None:
    """containerd writes the tag alone as the name, which two images may share."""
    layout.image(listed=False)
    one, two = layout.image(listed=False), layout.image(listed=False, layers=[b"other"])
    for entry, name in ((one, "docker.io/library/a:1"), (two, "docker.io/library/b:1")):
        layout.add(entry, "1", **{"io.containerd.image.name": name})
    assert digest_at(layout, ":docker.io/library/b:1") == two["digest"]
    with pytest.raises(ImageAmbiguous):
        digest_at(layout, ":1")


def test_what_others_left_out_is_read(layout: Layout) -> None:
    one = layout.image("v1")
    (layout.root / "oci-layout").unlink()
    odd: list[Any] = [{"x": 1}, 7]
    layout.entries = [{"digest": one["digest"], "size": one["size"] + 5, "annotations": {NAME: "v1"}}, *odd]
    layout.index()
    copied = copy_image(f"oci:{layout.root}:v1", f"oci:{layout.root}2")
    assert copied.descriptor.digest == one["digest"]


@pytest.mark.parametrize(("version", "fine"), [("1.0.1", True), ("1.1.0", True), ("2.0.0", False)])
def test_versions_of_layouts(layout: Layout, version: str, fine: bool) -> None:
    one = layout.image("v1")
    (layout.root / "oci-layout").write_text(json.dumps({"imageLayoutVersion": version}))
    if fine:
        assert digest_at(layout) == one["digest"]
        return
    with pytest.raises(LayoutInvalid, match=r"version 2\.0\.0; expected 1\.0\.0"):
        digest_at(layout)
    with pytest.raises(LayoutInvalid, match=r"version 2\.0\.0"):
        copy_image(f"oci:{layout.root}", f"oci:{layout.root}")


@pytest.mark.parametrize("content", ["", "[]", "{", '{"manifests": 1}'])
def test_an_index_that_is_none(layout: Layout, content: str) -> None:
    (layout.root / "index.json").write_text(content)
    with pytest.raises(LayoutInvalid, match=r"index\.json"):
        digest_at(layout)


def test_no_layout(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(ImageUnknown, match="there is no OCI layout"):
            parse_image_name(f"oci:{path}").new_image_source()


def test_a_name_written_again_replaces_its_entry_alone(layout: Layout, tmp_path: Path) -> None:
    before = layout.image("v1")
    other = layout.image("v2", layers=[b"other"])
    odd = {"mediaType": "text/plain", "digest": "none", "annotations": {"a": "b"}}
    layout.entries += [odd]
    layout.index(annotations={"kept": "yes"}, unknown=[1])
    blobs = blobs_of(layout.root)
    new = Layout(tmp_path / "new")
    replacing = new.image(layers=[b"new"])
    copy_image(f"oci:{new.root}", f"oci:{layout.root}:v1")
    assert entries_of(layout.root) == [("v1", replacing["digest"]), ("v2", other["digest"]), (None, "none")]
    document = json.loads((layout.root / "index.json").read_text())
    assert (document["annotations"], document["unknown"], document["manifests"][2]) == (
        {"kept": "yes"},
        [1],
        odd,
    )
    assert blobs_of(layout.root).items() > blobs.items()
    assert digest_at(layout, ":v2") == other["digest"] != before["digest"]


def test_an_image_that_is_there_unnamed_gets_the_name(layout: Layout) -> None:
    one = layout.image()
    layout.entries[0]["artifactType"] = "kept/too"
    layout.index()
    copy_image(f"oci:{layout.root}", f"oci:{layout.root}:v1")
    assert entries_of(layout.root) == [("v1", one["digest"])]
    assert json.loads((layout.root / "index.json").read_text())["manifests"][0]["artifactType"] == "kept/too"
    copy_image(f"oci:{layout.root}", f"oci:{layout.root}:v2")
    assert entries_of(layout.root) == [("v1", one["digest"]), ("v2", one["digest"])]
    copy_image(f"oci:{layout.root}:v1", f"oci:{layout.root}")
    assert len(entries_of(layout.root)) == 2


def test_two_entries_of_the_name_become_one(layout: Layout, tmp_path: Path) -> None:
    layout.image("v1"), layout.image("v1", layers=[b"other"])
    new = Layout(tmp_path / "new")
    replacing = new.image(layers=[b"new"])
    copy_image(f"oci:{new.root}", f"oci:{layout.root}:v1")
    assert entries_of(layout.root) == [("v1", replacing["digest"])]


@pytest.mark.parametrize("image", [":@0", ":@sha256:" + "0" * 64])
def test_positions_and_digests_are_for_reading(layout: Layout, image: str) -> None:
    layout.image("v1")
    with pytest.raises(ImageError, match="positions and digests are for reading"):
        copy_image(f"oci:{layout.root}", f"oci:{layout.root}{image}")


def test_a_folder_of_something_else_is_left_alone(layout: Layout, tmp_path: Path) -> None:
    layout.image("v1")
    (tmp_path / "home").mkdir()
    (tmp_path / "home/precious").write_text("text")
    with pytest.raises(LayoutInvalid, match="neither an OCI layout nor empty"):
        copy_image(f"oci:{layout.root}", f"oci:{tmp_path / 'home'}:v1")
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["precious"]


@pytest.mark.parametrize("spoil", ["longer", "other", "gone", "shorter"])
def test_a_layer_that_is_not_what_the_manifest_says(layout: Layout, tmp_path: Path, spoil: str) -> None:
    image = layout.image("v1", layers=[b"spoilt"])
    manifest = json.loads(layout.path(image["digest"]).read_text())
    layer = layout.path(manifest["layers"][0]["digest"])
    content = layer.read_bytes()
    match spoil:
        case "longer":
            layer.write_bytes(content + b"x")
        case "other":
            layer.write_bytes(bytes(len(content)))
        case "shorter":
            layer.write_bytes(content[:-1])
        case "gone":
            layer.unlink()
    expected = {"other": DigestInvalid, "gone": BlobUnknown}.get(spoil, SizeInvalid)
    target = tmp_path / "target"
    with pytest.raises(expected) as caught:
        copy_image(f"oci:{layout.root}:v1", f"oci:{target}:v1")
    assert manifest["layers"][0]["digest"] in " ".join(caught.value.__notes__)
    assert not (target / "index.json").exists()
    assert blobs_of(target).keys() <= {manifest["config"]["digest"]}  # whole ones may stay


def test_manifests_that_are_missing_or_spoilt(layout: Layout, tmp_path: Path) -> None:
    child = layout.image(listed=False)
    layout.image_index("v1", child)
    layout.path(child["digest"]).write_text("{}")
    with pytest.raises(DigestInvalid, match="the manifest does not match its digest"):
        copy_image(f"oci:{layout.root}:v1", f"oci:{tmp_path / 'target'}")
    layout.path(child["digest"]).unlink()
    with pytest.raises(ManifestUnknown) as caught:
        copy_image(f"oci:{layout.root}:v1", f"oci:{tmp_path / 'target'}")
    assert "which the index lists; to copy what is there, choose platforms" in caught.value.__notes__[0]
    assert not (tmp_path / "target").exists()
