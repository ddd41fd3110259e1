"""Manifests and tags."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.http_api.wsgi import Client
from tests.storage.samples import Document, image, index, push, push_image
from udist_plugin.errors import (
    DigestInvalid,
    ManifestInvalid,
    ManifestTooLarge,
    ManifestUnknown,
    NameUnknown,
    TagInvalid,
)
from udist_plugin.http_api.app import Application
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.manifest import MANIFEST_MAX, Manifest
from udist_plugin.oci.media_types import (
    DOCKER_MANIFEST,
    DOCKER_SCHEMA_1,
    DOCKER_SCHEMA_1_SIGNED,
    OCI_INDEX,
    OCI_MANIFEST,
    OCTET_STREAM,
)
from udist_plugin.registry import Page
from udist_plugin.storage import paths
from udist_plugin.storage.manifests import CONTENT_MAX
from udist_plugin.storage.registry import StorageRegistry

if TYPE_CHECKING:
    from udist_plugin.drivers.base import StorageDriver

ROOT = "/docker/registry/v2/repositories"


@pytest.mark.parametrize("document", [image(b"layer"), index(image()), image(algorithm="sha512")])
def test_a_manifest_comes_back_by_digest_and_tag(
    registry: StorageRegistry, driver: StorageDriver, document: Document
) -> None:
    push(registry, "a/b", document, "v1", "latest")
    for view in (registry, StorageRegistry(driver)):
        for target in (document.digest, "v1", "latest"):
            assert view.get_manifest("a/b", target) == (
                document.content,
                document.media_type,
                document.digest,
            )
            descriptor = view.resolve_manifest("a/b", target)
            assert descriptor[:3] == (document.media_type, document.digest, len(document.content))
    assert registry.list_tags("a/b") == Page(["latest", "v1"])


def test_the_layout_is_distributions(registry: StorageRegistry, driver: StorageDriver) -> None:
    document = push_image(registry, "a/b", b"layer", tags=["v1"])
    link = document.digest.encode()
    manifests = f"{ROOT}/a/b/_manifests"
    for path in (
        f"{manifests}/revisions/sha256/{document.digest.hex}/link",
        f"{manifests}/tags/v1/index/sha256/{document.digest.hex}/link",
        f"{manifests}/tags/v1/current/link",
    ):
        assert driver.get_content(path) == link
    assert not driver.exists(paths.layer("a/b", document.digest))


def test_the_first_manifest_of_a_repository_without_layers_is_a_layer_too(
    registry: StorageRegistry, driver: StorageDriver
) -> None:
    first, second = index(), image()
    push(registry, "a", first)
    push(registry, "a", second)
    assert driver.get_content(paths.link(paths.layer("a", first.digest))) == first.digest.encode()
    assert not driver.exists(paths.layer("a", second.digest))


def test_tags_move(registry: StorageRegistry, driver: StorageDriver) -> None:
    old, new = image(b"old"), image(b"new")
    push(registry, "a", old, "latest")
    push(registry, "a", new, "latest")
    assert registry.get_manifest("a", "latest").digest == new.digest
    assert registry.get_manifest("a", old.digest).content == old.content
    assert sorted(driver.list(f"{ROOT}/a/_manifests/tags/latest/index/sha256")) == sorted(
        [old.digest.hex, new.digest.hex]
    )


@pytest.mark.parametrize(
    ("content", "media_type", "error"),
    [
        (b"", OCI_MANIFEST, ManifestInvalid),
        (b"{", OCI_MANIFEST, ManifestInvalid),
        (b'{"schemaVersion": 1}', OCI_MANIFEST, ManifestInvalid),
        (b"[" * 100000, OCI_MANIFEST, ManifestInvalid),
        (image().content, DOCKER_MANIFEST, ManifestInvalid),
        (image().content.replace(b"config", b"c0nfig"), OCI_MANIFEST, ManifestInvalid),
        (b" " * (MANIFEST_MAX + 1), OCI_MANIFEST, ManifestTooLarge),
    ],
)
def test_a_bad_manifest_is_refused(
    registry: StorageRegistry, driver: StorageDriver, content: bytes, media_type: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        registry.push_manifest("a", Manifest.parse(content, media_type), ["latest"])
    assert not driver.exists(paths.BLOBS)
    assert registry.list_repositories() == Page([])


def test_a_media_type_that_would_be_lost_is_refused(registry: StorageRegistry) -> None:
    """Only the bytes are stored, so a type that they do not state and do not imply has no place."""
    value = json.loads(image().content)
    del value["mediaType"]
    content = json.dumps(value).encode()
    with pytest.raises(ManifestInvalid, match="must stand in the document"):
        registry.push_manifest("a", Manifest.parse(content, DOCKER_MANIFEST))
    registry.push_manifest("a", Manifest.parse(content, OCI_MANIFEST), ["latest"])
    assert registry.get_manifest("a", "latest").media_type == OCI_MANIFEST


def test_a_wrong_digest_is_refused() -> None:
    with pytest.raises(DigestInvalid):
        Manifest.parse(image().content, OCI_MANIFEST, image(b"other").digest)


def test_a_bad_tag_is_refused_before_anything_points_anywhere(registry: StorageRegistry) -> None:
    document = image()
    for tag in ("", "..", "../../x", "a/b", "a b", "-a", "a" * 129, "a\n"):
        with pytest.raises(TagInvalid):
            push(registry, "a", document, tag)
    with pytest.raises(ManifestUnknown):
        registry.resolve_manifest("a", document.digest)


def test_what_is_not_there_is_unknown(registry: StorageRegistry) -> None:
    document = image()
    push(registry, "a", document, "v1")
    for name, target in (("a", "v2"), ("b", "v1"), ("a", image(b"x").digest), ("b", document.digest)):
        for verb in (registry.get_manifest, registry.resolve_manifest):
            with pytest.raises(ManifestUnknown):
                verb(name, target)
    with pytest.raises(ManifestUnknown):
        registry.delete_manifest("b", document.digest)
    with pytest.raises(ManifestUnknown):
        registry.delete_tag("a", "v2")


def test_deleting_a_manifest_deletes_its_tags(registry: StorageRegistry) -> None:
    first, second = image(b"1"), image(b"2")
    push(registry, "a", first, "one", "uno", "moved")
    push(registry, "a", second, "two", "moved")
    registry.delete_manifest("a", first.digest)
    assert registry.list_tags("a") == Page(["moved", "two"])
    for target in (first.digest, "one"):
        with pytest.raises(ManifestUnknown):
            registry.resolve_manifest("a", target)
    with pytest.raises(ManifestUnknown):
        registry.delete_manifest("a", first.digest)
    push(registry, "a", first, "one")
    assert registry.get_manifest("a", "one").content == first.content


def test_deleting_a_tag_keeps_the_manifest(registry: StorageRegistry) -> None:
    document = image()
    push(registry, "a", document, "v1", "v2")
    registry.delete_tag("a", "v1")
    assert registry.list_tags("a") == Page(["v2"])
    registry.delete_tag("a", "v2")
    assert registry.list_tags("a") == Page([])
    assert registry.get_manifest("a", document.digest).content == document.content


def test_tags_are_unknown_only_where_none_ever_stood(registry: StorageRegistry) -> None:
    with pytest.raises(NameUnknown):
        registry.list_tags("a")
    push(registry, "a", image())
    if not registry.driver.has_folders:  # nothing tells whether there was one
        assert registry.list_tags("a") == Page([])
        return
    with pytest.raises(NameUnknown):
        registry.list_tags("a")


def test_a_tag_stands_with_its_current_link(registry: StorageRegistry, driver: StorageDriver) -> None:
    """A stock server killed while it deleted a tag leaves the folder. On an object store it is listed, as by
    distribution: a look at each tag would be a request each."""
    push(registry, "a", image(), "v1", "v2")
    driver.delete(paths.tag_current("a", "v1"))
    assert registry.list_tags("a") == Page(["v2"] if driver.has_folders else ["v1", "v2"])
    with pytest.raises(ManifestUnknown):
        registry.resolve_manifest("a", "v1")
    with pytest.raises(ManifestUnknown):
        registry.delete_tag("a", "v1")


def test_tags_come_in_pages(registry: StorageRegistry) -> None:
    tags = sorted(["1", "10", "2", "A", "_", "a", "a-b", "a.b", "b"])
    push(registry, "a", image(), *tags)
    for limit in range(1, len(tags) + 2):
        found: list[str] = []
        last: str | None = ""
        while last is not None:
            items, last = registry.list_tags("a", limit, last)
            assert len(items) <= limit
            found += items
        assert found == tags
    assert registry.list_tags("a", 0) == Page([], "")
    assert registry.list_tags("a", 5, "zzz") == Page([])
    assert registry.list_tags("a", last="a") == Page(["a-b", "a.b", "b"])


def test_manifests_are_checked_against_their_digest(registry: StorageRegistry, driver: StorageDriver) -> None:
    document = image()
    push(registry, "a", document, "v1")
    driver.put_content(paths.blob_data(document.digest), document.content + b" ")
    for view in (registry, StorageRegistry(driver)):
        for verb in (view.get_manifest, view.resolve_manifest):
            with pytest.raises(ManifestUnknown, match=document.digest):
                verb("a", "v1")
    push(registry, "a", document)
    assert registry.get_manifest("a", "v1").content == document.content


def test_a_manifest_is_read_once(driver: StorageDriver, read: list[str]) -> None:
    document = push_image(StorageRegistry(driver), "a", b"layer", tags=["v1"])
    registry = StorageRegistry(driver)
    read.clear()
    for target in ("v1", document.digest, "v1"):
        assert registry.get_manifest("a", target).content == document.content
    assert read.count(paths.blob_data(document.digest)) == 1


@pytest.mark.parametrize("left", [0, 1, 100])
def test_a_manifest_cut_short_is_unknown_until_it_is_pushed_again(
    registry: StorageRegistry, driver: StorageDriver, left: int
) -> None:
    document = image()
    push(registry, "a", document, "v1")
    driver.put_content(paths.blob_data(document.digest), document.content[:left])
    for view in (registry, StorageRegistry(driver)):
        for verb in (view.get_manifest, view.resolve_manifest):
            for target in ("v1", document.digest):
                with pytest.raises(ManifestUnknown):
                    verb("a", target)
    push(registry, "a", document)
    for view in (registry, StorageRegistry(driver)):
        assert view.get_manifest("a", "v1").content == document.content


def test_a_manifest_whose_bytes_are_gone_is_unknown(registry: StorageRegistry, driver: StorageDriver) -> None:
    document = image()
    push(registry, "a", document, "v1")
    driver.delete(paths.blob_data(document.digest))
    for view in (registry, StorageRegistry(driver)):
        for verb in (view.get_manifest, view.resolve_manifest):
            with pytest.raises(ManifestUnknown):
                verb("a", "v1")


def test_only_small_manifests_stay_in_memory(driver: StorageDriver, read: list[str]) -> None:
    registry = StorageRegistry(driver)
    small = push_image(registry, "a", b"layer")
    large = image(b"layer", annotations={"x": "y" * CONTENT_MAX})
    push(registry, "a", large)
    read.clear()
    for document in (small, large):
        for _ in range(3):
            assert registry.get_manifest("a", document.digest)[0] == document.content
    assert read.count(paths.blob_data(small.digest)) < 2
    assert read.count(paths.blob_data(large.digest)) == 3


STORED = {
    b'{"schemaVersion": 1, "name": "a", "fsLayers": []}': DOCKER_SCHEMA_1,
    b'{"schemaVersion": 1, "name": "a", "signatures": []}': DOCKER_SCHEMA_1_SIGNED,
    b'{"schemaVersion": 2, "mediaType": "application/x.other+json"}': "application/x.other+json",
    b'{"schemaVersion": 2, "mediaType": "text/html\\r\\nSet-Cookie: x"}': OCI_MANIFEST,
    b'{"schemaVersion": 2, "mediaType": "\xc3\xa9/x"}': OCI_MANIFEST,
    b'{"schemaVersion": 2, "mediaType": 5, "config": 7, "layers": [null, {"size": "x"}]}': OCI_MANIFEST,
    b'{"schemaVersion": 2, "manifests": [{"digest": "x"}], "annotations": [1]}': OCI_INDEX,
    b'{"schemaVersion": 2, "manifests": null, "subject": {"digest": "md5:x"}}': OCI_MANIFEST,
    b'{"Config": {}, "schemaVersion": 2.0, "artifactType": 1}': OCI_MANIFEST,
    b"\xef\xbb\xbf{}": OCTET_STREAM,
    b"[]": OCTET_STREAM,
    b"no JSON": OCTET_STREAM,
    b"[" * 100_000: OCTET_STREAM,
}
"""Documents that no push is accepted of, and the media type that each is served with."""


@pytest.mark.parametrize("content", STORED, ids=lambda content: repr(content[:60]))
def test_what_stands_in_the_store_is_served(
    registry: StorageRegistry, driver: StorageDriver, content: bytes
) -> None:
    digest = Digest.of(content)
    driver.put_content(paths.blob_data(digest), content)
    driver.put_content(paths.link(paths.revision("a", digest)), digest.encode())
    driver.put_content(paths.tag_current("a", "v1"), digest.encode())
    with pytest.raises((ManifestInvalid, DigestInvalid)):
        Manifest.parse(content, OCI_MANIFEST)
    for target in (digest, "v1"):
        assert registry.get_manifest("a", target) == (content, STORED[content], digest)
        assert registry.resolve_manifest("a", target)[:3] == (STORED[content], digest, len(content))
    answer = Client(Application(registry)).get("/v2/a/manifests/v1")
    assert (answer.status, answer.content, answer.field("content-type")) == (200, content, STORED[content])
