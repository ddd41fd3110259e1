from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.http_api.images import CONFIG, descriptor, image, index
from udist_plugin.drivers import open_driver
from udist_plugin.errors import ManifestBlobUnknown, ManifestInvalid, ManifestUnknown
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.manifest import Manifest
from udist_plugin.oci.media_types import (
    DOCKER_FOREIGN_LAYER,
    DOCKER_MANIFEST_LIST,
    OCI_LAYER_TAR_GZIP,
    OCI_MANIFEST,
)
from udist_plugin.patterns.pattern import Pattern
from udist_plugin.registry import LOOK_HOLDS, RegistryWrapper
from udist_plugin.storage import paths
from udist_plugin.storage.registry import StorageRegistry
from udist_plugin.wrappers.validation import Policy, ValidatingRegistry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from udist_plugin.oci.descriptor import Descriptor
    from udist_plugin.registry import Registry

NONDISTRIBUTABLE = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
URL = "https://store.example/layer"
AMD64 = {"os": "linux", "architecture": "amd64"}
ARM64 = {"os": "linux", "architecture": "arm64"}


@pytest.fixture
def inner() -> StorageRegistry:
    registry = StorageRegistry(open_driver("inmemory", {}, scratch=paths.SCRATCH))
    registry.push_blob("a", Digest.of(CONFIG), io.BytesIO(CONFIG))
    registry.push_blob("a", Digest.of(b"layer"), io.BytesIO(b"layer"))
    return registry


def push(inner: Registry, manifest: bytes, policy: Policy | None = None) -> Digest:
    digest = Digest.of(manifest)
    kind = json.loads(manifest)["mediaType"]
    ValidatingRegistry(inner, policy).push_manifest("a", Manifest.parse(manifest, kind), ["v1"])
    assert inner.get_manifest("a", "v1").digest == digest
    return digest


def missing(inner: Registry, manifest: bytes, policy: Policy | None = None) -> list[object]:
    """The digests that a push is refused for."""
    with pytest.raises(ManifestBlobUnknown) as refused:
        push(inner, manifest, policy)
    return [refused.value.detail, *(each.detail for each in refused.value.also)]


def layered(layer: dict[str, Any]) -> bytes:
    return image(layers=[descriptor(b"layer"), layer])


class TestBlobs:
    def test_all_there(self, inner: Registry) -> None:
        push(inner, image(b"layer"))
        push(inner, image(b"layer", docker=True))

    def test_every_missing_one_once(self, inner: Registry) -> None:
        manifest = image(b"x", b"layer", b"y", b"x", config=descriptor(b"z"))
        assert missing(inner, manifest) == [Digest.of(content) for content in (b"z", b"x", b"y")]

    def test_they_are_checked_where_only_indexes_are_not(self, inner: Registry) -> None:
        assert missing(inner, image(b"x"), Policy(indexes=False)) == [Digest.of(b"x")]

    def test_sparse(self, inner: Registry) -> None:
        push(inner, image(b"x"), Policy(references=False))


class TestIndexes:
    def test_all_there(self, inner: Registry) -> None:
        manifest = image(b"layer")
        push(inner, manifest)
        push(inner, index(descriptor(manifest, OCI_MANIFEST)))
        push(inner, index())

    def test_every_missing_one(self, inner: Registry) -> None:
        manifest = image(b"layer")
        push(inner, manifest)
        contents = [b"x", manifest, b"y"]
        listed = index(*(descriptor(each, OCI_MANIFEST) for each in contents))
        assert missing(inner, listed) == [Digest.of(b"x"), Digest.of(b"y")]

    def test_a_build_cache_lists_blobs(self, inner: Registry) -> None:
        push(
            inner, index(descriptor(b"layer", OCI_LAYER_TAR_GZIP), descriptor(CONFIG, "application/x.cache"))
        )

    @pytest.mark.parametrize("policy", [Policy(indexes=False), Policy(references=False)])
    def test_sparse(self, inner: Registry, policy: Policy) -> None:
        push(inner, index(descriptor(b"x", OCI_MANIFEST)), policy)

    def test_only_some_platforms(self, inner: Registry) -> None:
        policy = Policy(platforms=[("amd64", "linux")])
        listed = index(
            descriptor(b"x", OCI_MANIFEST, platform=ARM64),
            descriptor(b"y", OCI_MANIFEST, platform=AMD64),
            descriptor(b"z", OCI_MANIFEST),
            descriptor(b"w", OCI_MANIFEST, platform={"os": ["linux"], "architecture": {}}),
            media_type=DOCKER_MANIFEST_LIST,
        )
        assert missing(inner, listed, policy) == [Digest.of(b"y")]


class TestUrls:
    @pytest.mark.parametrize("media_type", [DOCKER_FOREIGN_LAYER, NONDISTRIBUTABLE])
    def test_a_layer_from_elsewhere_need_not_be_here(self, inner: Registry, media_type: str) -> None:
        push(inner, layered(descriptor(b"x", media_type, urls=[URL])))
        assert missing(inner, layered(descriptor(b"x", media_type))) == [Digest.of(b"x")]
        push(inner, layered(descriptor(b"layer", media_type)))

    def test_any_other_layer_must_be(self, inner: Registry) -> None:
        assert missing(inner, layered(descriptor(b"x", OCI_LAYER_TAR_GZIP, urls=[URL]))) == [Digest.of(b"x")]

    @pytest.mark.parametrize(
        ("allow", "deny", "allowed"),
        [
            ([], [], True),
            (["^https://store[.]example/"], [], True),
            (["^https://other/", "store"], [], True),
            (["^https://other/"], [], False),
            ([], ["other"], True),
            ([], ["other", "store"], False),
            (["store"], ["layer$"], False),
        ],
    )
    def test_allowed_and_denied(
        self, inner: Registry, allow: list[str], deny: list[str], allowed: bool
    ) -> None:
        patterns = [[Pattern(text) for text in texts] for texts in (allow, deny)]
        policy = Policy(allow=patterns[0], deny=patterns[1])
        manifest = layered(descriptor(b"x", NONDISTRIBUTABLE, urls=[URL]))
        if allowed:
            push(inner, manifest, policy)
        else:
            with pytest.raises(ManifestInvalid, match="invalid URL on layer"):
                push(inner, manifest, policy)

    @pytest.mark.timeout(30)
    @pytest.mark.parametrize(
        ("url", "allowed"),
        [("https://a.example.com/x", True), (f"https://{'a.' * 1000}example.org/x", False)],
    )
    def test_the_example_of_distributions_configuration(
        self, inner: Registry, url: str, allowed: bool
    ) -> None:
        policy = Policy(allow=[Pattern(r"^https?://([^/]+\.)*example\.com/")])
        manifest = layered(descriptor(b"x", NONDISTRIBUTABLE, urls=[url]))
        if allowed:
            push(inner, manifest, policy)
        else:
            with pytest.raises(ManifestInvalid, match="invalid URL on layer"):
                push(inner, manifest, policy)

    @pytest.mark.parametrize(
        "urls",
        [
            ["ftp://a/b"],
            ["file:///etc"],
            [f"{URL}#x"],
            ["http://["],
            ["http://a\nb"],
            ["x"],
            [1],
            "x",
            {"a": 1},
        ],
    )
    def test_malformed(self, inner: Registry, urls: object) -> None:
        with pytest.raises(ManifestInvalid, match="invalid URL on layer"):
            push(inner, layered(descriptor(b"x", NONDISTRIBUTABLE, urls=urls)))


def test_a_subject_need_not_exist(inner: Registry) -> None:
    push(inner, image(b"layer", subject=descriptor(b"x", OCI_MANIFEST)))


def test_what_is_no_manifest_is_not_handed_on(inner: Registry) -> None:
    with pytest.raises(ManifestInvalid):
        push(inner, image(b"layer", layers="x"))
    with pytest.raises(ManifestUnknown):
        inner.resolve_manifest("a", "v1")


class Slow(RegistryWrapper):
    """Takes ``seconds`` to link a manifest, while ``lost`` is collected."""

    def __init__(self, inner: StorageRegistry, seconds: float, lost: bytes) -> None:
        super().__init__(inner)
        self.time = 0.0
        self._driver = inner.driver
        self._seconds = seconds
        self._lost = lost

    def push_manifest(self, name: str, manifest: Manifest, tags: Sequence[str] = ()) -> Descriptor:
        pushed = super().push_manifest(name, manifest, tags)
        if tags:
            self.time += self._seconds
            self._driver.delete(paths.blob_data(Digest.of(self._lost)))
        return pushed


@pytest.mark.parametrize("moving", [0, 1])
def test_a_slow_push_looks_again(inner: StorageRegistry, moving: int) -> None:
    """By any of the clocks: one may stand still."""
    content = image(layers=[descriptor(b"layer")])
    manifest = Manifest.parse(content, OCI_MANIFEST)

    def pushing(seconds: float, lost: bytes) -> ValidatingRegistry:
        slow = Slow(inner, seconds, lost)
        return ValidatingRegistry(slow, clocks=lambda: (slow.time, 0.0) if moving else (0.0, slow.time))

    pushing(LOOK_HOLDS + 1, content).push_manifest("a", manifest, ["v1"])
    assert inner.get_manifest("a", "v1").content == content
    with pytest.raises(ManifestBlobUnknown) as refused:
        pushing(LOOK_HOLDS + 1, b"layer").push_manifest("a", manifest, ["v1"])
    assert refused.value.detail == Digest.of(b"layer")
    inner.push_blob("a", Digest.of(b"layer"), io.BytesIO(b"layer"))
    pushing(LOOK_HOLDS, b"layer").push_manifest("a", manifest, ["v1"])
