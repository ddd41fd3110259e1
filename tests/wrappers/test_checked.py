"""The registry that ``create_app`` offers takes plain text, and lets nothing malformed through."""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING

import pytest

from udist_plugin import create_app
from udist_plugin.errors import (
    BlobUnknown,
    BlobUploadUnknown,
    DigestInvalid,
    ManifestUnknown,
    NameInvalid,
    TagInvalid,
)
from udist_plugin.oci.manifest import Manifest
from udist_plugin.oci.media_types import OCI_INDEX
from udist_plugin.registry import Registry, RegistryWrapper
from udist_plugin.wrappers.checked import CheckedRegistry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CONTENT = b"content"
DIGEST = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"
INDEX = Manifest.parse(b'{"schemaVersion": 2, "manifests": []}', OCI_INDEX)
TARGET = f"sha256:{hashlib.sha256(INDEX.content).hexdigest()}"
ABOVE = "a/../b"


@pytest.fixture
def registry() -> Iterator[Registry]:
    with create_app({"version": 0.1, "storage": {"inmemory": {}}}) as app:
        yield app.registry


def test_blobs_are_named_by_text(registry: CheckedRegistry) -> None:
    assert registry.push_blob("a", DIGEST, io.BytesIO(CONTENT)).digest == DIGEST
    assert registry.mount_blob("b", DIGEST, "a").size == len(CONTENT)
    assert registry.mount_blob("c", DIGEST, None).size == len(CONTENT)
    upload = registry.resume_upload("d", registry.start_upload("d").id)
    upload.write(io.BytesIO(CONTENT))
    assert upload.commit(DIGEST).digest == DIGEST
    for name in "abcd":
        assert registry.has_blob(name, DIGEST)
        assert registry.resolve_blob(name, DIGEST).size == len(CONTENT)
        assert registry.locate_blob(name, DIGEST) is None
        with registry.open_blob(name, DIGEST, 1, 3) as content:
            assert content.read() == CONTENT[1:3]
        registry.delete_blob(name, DIGEST)
        with pytest.raises(BlobUnknown):
            registry.resolve_blob(name, DIGEST)


def test_manifests_are_named_by_text(registry: CheckedRegistry) -> None:
    registry.push_manifest("a", INDEX, ["v1", "v2"])
    for target in ("v1", TARGET):
        assert registry.resolve_manifest("a", target).digest == TARGET
        assert registry.get_manifest("a", target).content == INDEX.content
        assert registry.open_manifest("a", target)[1] == INDEX.content
    assert registry.list_referrers("a", TARGET).items == []
    registry.delete_tag("a", "v1")
    assert registry.list_tags("a").items == ["v2"]
    assert registry.list_repositories().items == ["a"]
    registry.delete_manifest("a", TARGET)
    with pytest.raises(ManifestUnknown):
        registry.get_manifest("a", TARGET)


BY_DIGEST = [
    "resolve_blob", "has_blob", "open_blob", "locate_blob", "delete_blob",
    "resolve_manifest", "get_manifest", "delete_manifest", "list_referrers",
]  # fmt: skip


@pytest.mark.parametrize("verb", BY_DIGEST)
def test_a_malformed_name_or_digest_reaches_no_path(registry: CheckedRegistry, verb: str) -> None:
    with pytest.raises(DigestInvalid):
        getattr(registry, verb)("a", "sha256:../x")
    with pytest.raises(NameInvalid):
        getattr(registry, verb)(ABOVE, DIGEST)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda registry: registry.mount_blob("a", "md5:0", None), DigestInvalid),
        (lambda registry: registry.mount_blob(ABOVE, DIGEST, None), NameInvalid),
        (lambda registry: registry.mount_blob("a", DIGEST, ABOVE), NameInvalid),
        (lambda registry: registry.push_blob("a", "md5:0", io.BytesIO()), DigestInvalid),
        (lambda registry: registry.push_blob(ABOVE, DIGEST, io.BytesIO()), NameInvalid),
        (lambda registry: registry.start_upload(ABOVE), NameInvalid),
        (lambda registry: registry.start_upload("a").commit("md5:0"), DigestInvalid),
        (lambda registry: registry.resume_upload(ABOVE, "x"), NameInvalid),
        (lambda registry: registry.resume_upload("a", "../x"), BlobUploadUnknown),
        (lambda registry: registry.get_manifest("a", "../x"), ManifestUnknown),
        (lambda registry: registry.push_manifest(ABOVE, INDEX), NameInvalid),
        (lambda registry: registry.push_manifest("a", INDEX, ["../x"]), TagInvalid),
        (lambda registry: registry.delete_tag(ABOVE, "v1"), NameInvalid),
        (lambda registry: registry.delete_tag("a", "../x"), TagInvalid),
        (lambda registry: registry.list_tags(ABOVE), NameInvalid),
    ],
)  # fmt: skip
def test_what_is_malformed_reaches_no_path(
    registry: CheckedRegistry, call: Callable[[Registry], object], error: type[Exception]
) -> None:
    with pytest.raises(error):
        call(registry)


def test_every_verb_that_names_something_is_checked() -> None:
    verbs = {name for name in vars(RegistryWrapper) if not name.startswith("_")}
    assert verbs - set(vars(CheckedRegistry)) == {"list_repositories"}
