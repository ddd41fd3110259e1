"""Copies between any two places: what is moved, what is kept, what changes, and what a failure leaves."""

from __future__ import annotations

import json
import os
import threading
from typing import TYPE_CHECKING, Any

import pytest

from tests.http_api.memory import MemoryRegistry
from tests.images.sample import Layout, blobs_of, entries_of
from tests.images.unjudged import copy_image
from udist_plugin.errors import (
    Cancelled,
    DigestChanged,
    DigestInvalid,
    ImageError,
    ManifestInvalid,
    PlatformUnknown,
    StreamReset,
)
from udist_plugin.images.platforms import Platform
from udist_plugin.images.transports import parse_image_name
from udist_plugin.images.transports.udist import UdistTransport
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.media_types import DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST
from udist_plugin.registry import RegistryWrapper

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from udist_plugin.content import Content, Readable
    from udist_plugin.images.transports.base import ImageReference
    from udist_plugin.oci.descriptor import Descriptor
    from udist_plugin.registry import Registry


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "layout")


class Store(RegistryWrapper):
    """A registry in memory that says what is done to it, and fails where it is told to."""

    def __init__(self) -> None:
        super().__init__(MemoryRegistry())
        self.pushed: list[str] = []
        self.mounted: list[str] = []
        self.failures: list[Exception] = []

    def push_blob(self, name: str, digest: Digest, content: Readable) -> Descriptor:
        if self.failures:
            content.read(1)
            raise self.failures.pop()
        self.pushed.append(digest)
        return super().push_blob(name, digest, content)

    def mount_blob(self, name: str, digest: Digest, source: str | None) -> Descriptor:
        self.mounted.append(digest)
        return super().mount_blob(name, digest, source)

    def __enter__(self) -> Registry:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def image(self, text: str) -> ImageReference:
        return UdistTransport(self._open).parse_reference(text)

    def _open(self) -> AbstractContextManager[Registry]:
        return self


def test_all_platforms_with_nested_indexes_keep_their_bytes(layout: Layout, tmp_path: Path) -> None:
    inner = layout.image_index(None, layout.image(platform="linux/arm64", listed=False), listed=False)
    root = layout.image_index("v1", layout.image(listed=False), inner)
    store = Store()
    copied = copy_image(f"oci:{layout.root}:v1", store.image("demo:v1"))
    assert copied.descriptor.digest == copied.source == root["digest"]
    assert (copied.manifests, len(copied.moved), len(copied.present)) == (4, 4, 0)
    copy_image(store.image("demo:v1"), f"dir:{tmp_path / 'dir'}")
    copy_image(f"dir:{tmp_path / 'dir'}", f"oci:{tmp_path / 'out'}:v2")
    assert blobs_of(tmp_path / "out") == blobs_of(layout.root)


def test_the_same_again_moves_nothing(layout: Layout) -> None:
    layout.image("v1")
    store = Store()
    copy_image(f"oci:{layout.root}:v1", store.image("demo:v1"))
    again = copy_image(f"oci:{layout.root}:v1", store.image("demo:v1"))
    assert (again.moved, len(again.present), len(store.pushed)) == ([], 3, 3)


def test_blobs_of_another_repository_are_mounted(layout: Layout) -> None:
    layout.image("v1")
    store = Store()
    transport = UdistTransport(store._open)
    copy_image(f"oci:{layout.root}:v1", transport.parse_reference("one:v1"))
    copied = copy_image(transport.parse_reference("one:v1"), transport.parse_reference("two:v1"))
    assert (copied.moved, len(store.mounted), len(store.pushed)) == ([], 3, 3)


def test_a_blob_cut_short_by_a_crash_is_copied_again(layout: Layout, tmp_path: Path) -> None:
    layout.image("v1")
    target = Layout(tmp_path / "out")
    copied = copy_image(f"oci:{layout.root}:v1", f"oci:{target.root}:v1")
    target.path(copied.moved[1].digest).write_bytes(b"")
    again = copy_image(f"oci:{layout.root}:v1", f"oci:{target.root}:v1")
    assert [blob.digest for blob in again.moved] == [copied.moved[1].digest]
    assert blobs_of(target.root) == blobs_of(layout.root)


def test_one_platform_is_that_image(layout: Layout) -> None:
    children = [
        layout.image(platform=f"linux/{each}", listed=False) for each in ("amd64", "arm64/v8", "arm/v7")
    ]
    root = layout.image_index("v1", *children)
    store = Store()
    copied = copy_image(f"oci:{layout.root}", store.image("demo:v1"), platforms=[Platform("linux", "arm64")])
    assert copied.descriptor.digest == children[1]["digest"]
    assert copied.source == root["digest"]


def test_several_platforms_are_an_index_of_them(layout: Layout) -> None:
    children = [
        layout.image(platform=f"linux/{each}", listed=False) for each in ("amd64", "arm64/v8", "arm/v7")
    ]
    root = layout.image_index("v1", *children)
    wanted = [Platform("linux", "arm64"), Platform("linux", "amd64")]
    store = Store()
    copied = copy_image(f"oci:{layout.root}", store.image("demo:pruned"), platforms=wanted)
    pruned = json.loads(store.get_manifest("demo", "pruned").content)
    assert [each["digest"] for each in pruned["manifests"]] == [children[1]["digest"], children[0]["digest"]]
    assert pruned["mediaType"] == copied.descriptor.media_type == OCI_INDEX
    sparse = copy_image(f"oci:{layout.root}", store.image("demo:sparse"), platforms=wanted, sparse=True)
    assert sparse.descriptor.digest == root["digest"]
    assert (sparse.manifests, len(sparse.present)) == (3, 4)
    every = [*wanted, Platform("linux", "arm", "v7")]
    assert (
        copy_image(f"oci:{layout.root}", store.image("demo:all"), platforms=every).descriptor.digest
        == root["digest"]
    )


def test_an_image_of_a_nested_index_is_found(layout: Layout) -> None:
    arm = layout.image(platform="linux/arm64", listed=False)
    inner = layout.image_index(None, arm, listed=False)
    layout.image_index("v1", layout.image(listed=False), inner)
    copied = copy_image(f"oci:{layout.root}", Store().image("demo"), platforms=[Platform("linux", "arm64")])
    assert copied.descriptor.digest == arm["digest"]


def test_a_missing_platform_leaves_nothing(layout: Layout, tmp_path: Path) -> None:
    layout.image_index("v1", layout.image(listed=False))
    for target in (f"oci:{tmp_path / 'a'}", f"dir:{tmp_path / 'b'}", f"oci-archive:{tmp_path / 'c'}"):
        with pytest.raises(PlatformUnknown, match=r"it is there for linux/amd64$"):
            copy_image(f"oci:{layout.root}", target, platforms=[Platform("linux", "s390x")])
    assert [path.name for path in tmp_path.iterdir()] == ["layout"]


def test_one_image_of_another_platform_is_an_error(layout: Layout) -> None:
    image = layout.image("v1", platform="linux/arm64/v8")
    store = Store()
    with pytest.raises(PlatformUnknown, match=r"^linux/amd64: the image is for linux/arm64/v8 alone$"):
        copy_image(f"oci:{layout.root}", store.image("demo"), platforms=[Platform("linux", "amd64")])
    copied = copy_image(f"oci:{layout.root}", store.image("demo"), platforms=[Platform("linux", "arm64")])
    assert copied.descriptor.digest == image["digest"]


def test_docker_to_oci_and_back(layout: Layout) -> None:
    children = [
        layout.image(platform=f"linux/{each}", docker=True, listed=False) for each in ("amd64", "arm64")
    ]
    index = layout.image_index("v1", *children)
    store = Store()
    copied = copy_image(f"oci:{layout.root}", store.image("demo:oci"), image_format="oci")
    assert copied.source == index["digest"] != copied.descriptor.digest
    for child in json.loads(store.get_manifest("demo", "oci").content)["manifests"]:
        assert child["mediaType"] == OCI_MANIFEST
        image = json.loads(store.get_manifest("demo", Digest(child["digest"])).content)
        types = {
            image["mediaType"],
            image["config"]["mediaType"],
            *(each["mediaType"] for each in image["layers"]),
        }
        assert all(each.startswith("application/vnd.oci.image.") for each in types)
    back = copy_image(store.image("demo:oci"), store.image("demo:docker"), image_format="docker")
    document = json.loads(store.get_manifest("demo", "docker").content)
    assert {each["mediaType"] for each in document["manifests"]} == {DOCKER_MANIFEST}
    again = copy_image(store.image("demo:docker"), store.image("demo:same"), image_format="docker")
    assert again.descriptor == back.descriptor


def test_what_dockers_format_has_no_place_for(layout: Layout) -> None:
    config, layer = (
        layout.blob(b"{}", "application/vnd.oci.empty.v1+json"),
        layout.blob(b"text", "text/plain"),
    )
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": config,
        "layers": [layer],
        "annotations": {"a": "b"},
    }
    layout.add(layout.blob(json.dumps(manifest).encode(), OCI_MANIFEST), "v1")
    with pytest.raises(
        ImageError, match=r"no place for annotations, application/vnd\.oci\.empty.*, text/plain"
    ):
        copy_image(f"oci:{layout.root}", Store().image("demo"), image_format="docker")


def test_a_digest_that_is_to_be_preserved(layout: Layout) -> None:
    image = layout.image(docker=True, listed=False)
    index = layout.image_index("v1", image, layout.image(platform="linux/arm64", listed=False))
    store = Store()
    with pytest.raises(DigestChanged, match=f"{index['digest']}: would become {image['digest']}"):
        copy_image(
            f"oci:{layout.root}",
            store.image("demo"),
            platforms=[Platform("linux", "amd64")],
            preserve_digests=True,
        )
    copied = copy_image(f"oci:{layout.root}", store.image("demo"), preserve_digests=True)
    assert copied.descriptor.digest == index["digest"]


def test_a_dry_run_changes_nothing(layout: Layout, tmp_path: Path) -> None:
    layout.image("v1")
    told = copy_image(f"oci:{layout.root}", f"oci:{tmp_path / 'out'}:v1", dry_run=True)
    assert (len(told.moved), told.present) == (3, [])
    assert not (tmp_path / "out").exists()


def test_a_destination_by_digest(layout: Layout) -> None:
    image = layout.image("v1")
    store = Store()
    copy_image(f"oci:{layout.root}", store.image(f"demo@{image['digest']}"))
    assert store.get_manifest("demo", Digest(image["digest"])).digest == image["digest"]
    with pytest.raises(DigestInvalid, match="the digest that the destination names"):
        copy_image(f"oci:{layout.root}", store.image(f"demo@sha256:{'0' * 64}"))


def test_layers_that_are_elsewhere_stay_there(layout: Layout, tmp_path: Path) -> None:
    image = layout.image("v1")
    manifest: dict[str, Any] = json.loads(layout.path(image["digest"]).read_text())
    foreign = {
        "mediaType": "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
        "digest": f"sha256:{'0' * 64}",
        "size": 5,
        "urls": ["https://r.test/layer"],
    }
    manifest["layers"].append(foreign)
    layout.add(layout.blob(json.dumps(manifest).encode(), OCI_MANIFEST), "v2")
    copied = copy_image(f"oci:{layout.root}:v2", f"oci:{tmp_path / 'out'}:v2")
    assert len(copied.moved) == 3


def test_two_sizes_of_one_blob(layout: Layout) -> None:
    image = layout.image("v1")
    manifest: dict[str, Any] = json.loads(layout.path(image["digest"]).read_text())
    manifest["layers"].append({**manifest["layers"][0], "size": 1})
    layout.add(layout.blob(json.dumps(manifest).encode(), OCI_MANIFEST), "v2")
    with pytest.raises(ManifestInvalid, match="two sizes are stated"):
        copy_image(f"oci:{layout.root}:v2", Store().image("demo"))


@pytest.mark.parametrize(
    "content", [b'{"schemaVersion":1}', b'{"schemaVersion":2,"mediaType":"text/plain"}', b"no"]
)
def test_what_is_no_image(layout: Layout, content: bytes) -> None:
    layout.add(layout.blob(content, "text/plain"), "v1")
    with pytest.raises(ManifestInvalid):
        copy_image(f"oci:{layout.root}:v1", Store().image("demo"))


def test_an_index_within_itself_ends(layout: Layout) -> None:
    entry = layout.image(listed=False)
    for _ in range(10):
        entry = layout.image_index(None, entry, listed=False)
    layout.add(entry, "v1")
    for platforms in ([], [Platform("linux", "amd64")]):
        with pytest.raises(ManifestInvalid, match="more than 8 deep"):
            copy_image(f"oci:{layout.root}:v1", Store().image("demo"), platforms=platforms)


def test_what_is_listed_a_thousand_times_is_looked_at_once(layout: Layout) -> None:
    entry = layout.image(listed=False)
    for _ in range(7):
        entry = layout.image_index(None, *[entry] * 1000, listed=False)
    layout.add(entry, "v1")
    assert copy_image(f"oci:{layout.root}:v1", Store().image("demo")).manifests == 8
    copied = copy_image(
        f"oci:{layout.root}:v1", Store().image("demo"), platforms=[Platform("linux", "amd64")]
    )
    assert copied.manifests == 1


def test_a_sparse_index_of_a_nested_one(layout: Layout) -> None:
    inner = layout.image_index(None, layout.image(platform="linux/arm64", listed=False), listed=False)
    layout.image_index("v1", layout.image(listed=False), inner)
    with pytest.raises(ImageError, match="in an index within the index, which cannot be sparse"):
        copy_image(
            f"oci:{layout.root}:v1",
            Store().image("demo"),
            platforms=[Platform("linux", "arm64")],
            sparse=True,
        )


def test_a_connection_that_breaks_is_tried_again(layout: Layout) -> None:
    layout.image("v1")
    store = Store()
    store.failures = [StreamReset("broken"), StreamReset("broken")]
    assert len(copy_image(f"oci:{layout.root}", store.image("demo"), concurrency=1).moved) == 3
    store = Store()
    store.failures = [StreamReset("broken") for _ in range(3)]
    with pytest.raises(StreamReset) as caught:
        copy_image(f"oci:{layout.root}", store.image("demo"), concurrency=1)
    assert caught.value.__notes__[0].startswith("copying sha256:")
    assert isinstance(store.inner, MemoryRegistry)
    assert store.inner.manifests == {}


def test_a_failure_stops_the_others_and_leaves_no_part_of_a_file(layout: Layout, tmp_path: Path) -> None:
    image = layout.image("v1", layers=[os.urandom(2_000_000) for _ in range(12)])
    spoilt = json.loads(layout.path(image["digest"]).read_text())["layers"][3]["digest"]
    layout.path(spoilt).write_bytes(bytes(layout.path(spoilt).stat().st_size))
    with pytest.raises(DigestInvalid):
        copy_image(f"oci:{layout.root}", f"oci:{tmp_path / 'out'}:v1")
    assert len(blobs_of(tmp_path / "out")) < 13
    layout.image("v2", layers=[b"fine"])
    copy_image(f"oci:{layout.root}:v2", f"oci:{tmp_path / 'out'}:v2")
    assert [name for name, _ in entries_of(tmp_path / "out")] == ["v2"]


def test_an_interrupt_ends_all_threads(layout: Layout, tmp_path: Path) -> None:
    layout.image("v1", layers=[b"one", b"two", b"three"])
    begun = threading.Event()

    class Halting(Store):
        def open_blob(self, name: str, digest: Digest, start: int = 0, end: int | None = None) -> Content:
            begun.set()
            raise KeyboardInterrupt

    store = Halting()
    copy_image(f"oci:{layout.root}", store.image("demo"))
    with pytest.raises(KeyboardInterrupt):
        copy_image(store.image("demo"), f"oci:{tmp_path / 'out'}:v1")
    assert begun.is_set()
    assert not [thread for thread in threading.enumerate() if thread.name == "udist-transfer"]
    assert not (tmp_path / "out").exists() or blobs_of(tmp_path / "out") == {}


def test_a_cancelled_destination_takes_no_more(layout: Layout, tmp_path: Path) -> None:
    layout.image("v1")
    for text in (f"oci:{tmp_path / 'a'}", f"dir:{tmp_path / 'b'}", f"oci-archive:{tmp_path / 'c'}"):
        with (
            parse_image_name(f"oci:{layout.root}").new_image_source() as source,
            parse_image_name(text).new_image_destination() as destination,
        ):
            blob = copy_image(f"oci:{layout.root}", f"oci:{layout.root}").present[0]
            destination.cancel()
            with source.open_blob(blob) as content, pytest.raises(Cancelled):
                destination.put_blob(blob, content)
            assert not destination.has_blob(blob)
    assert not (tmp_path / "c").exists()


def test_progress(layout: Layout) -> None:
    layout.image("v1", layers=[b"one", b"two"])
    told: list[object] = []

    class Telling:
        def expect(self, files: int, size: int) -> None:
            told.append(files)

        def begin(self, doing: str, name: str, size: int | None, done: Any) -> Any:
            return Task(doing, name, size, done)

    class Task:
        def __init__(self, doing: str, name: str, size: int | None, done: Any) -> None:
            self.size, self.done = size, done
            assert (doing, done()) == ("copying", 0)

        def end(self, how: str) -> None:
            assert self.done() == (self.size if how == "copied" else 0)
            told.append(how)

        def __enter__(self) -> Task:
            return self

        def __exit__(self, *_: object) -> None:
            pass

    store = Store()
    for _ in range(2):
        copy_image(f"oci:{layout.root}", store.image("demo"), progress=Telling(), concurrency=1)
    assert told == [3, "copied", "copied", "copied", 3, "exists", "exists", "exists"]
