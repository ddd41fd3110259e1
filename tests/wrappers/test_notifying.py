"""What is told of a registry, and when."""

from __future__ import annotations

import io
from typing import Any

import pytest

from tests.storage.samples import image, index, push
from udist_plugin.drivers import open_driver
from udist_plugin.errors import BlobUnknown, DigestInvalid, ManifestUnknown
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.media_types import OCI_MANIFEST, OCTET_STREAM
from udist_plugin.storage import paths
from udist_plugin.storage.registry import StorageRegistry
from udist_plugin.wrappers.notifying import BLOBS, MANIFESTS, NotifyingRegistry, Occurrence

BLOB = Digest.of(b"blob")
IMAGE = image(b"blob")


@pytest.fixture
def told() -> list[Occurrence]:
    return []


@pytest.fixture
def registry(told: list[Occurrence]) -> NotifyingRegistry:
    return NotifyingRegistry(
        StorageRegistry(open_driver("inmemory", {}, scratch=paths.SCRATCH)), told.append, ("push", "pull")
    )


def of_blob(action: str, **more: Any) -> Occurrence:
    return Occurrence(action, BLOBS, "a", BLOB, OCTET_STREAM, 4)._replace(**more)


def test_blobs(registry: NotifyingRegistry, told: list[Occurrence]) -> None:
    registry.push_blob("a", BLOB, io.BytesIO(b"blob"))
    registry.mount_blob("b", BLOB, "a")
    registry.resolve_blob("a", BLOB)
    registry.open_blob("a", BLOB).close()
    registry.delete_blob("a", BLOB)
    assert told == [
        of_blob("push"),
        of_blob("mount", name="b", source="a"),
        of_blob("pull"),
        of_blob("pull"),
        Occurrence("delete", BLOBS, "a", BLOB),
    ]


def test_a_range_tells_the_size_of_the_blob_once(registry: NotifyingRegistry, told: list[Occurrence]) -> None:
    registry.inner.push_blob("a", BLOB, io.BytesIO(b"blob"))
    with registry.open_blob("a", BLOB, 1, 3) as content:
        assert content.read() == b"lo"
    assert told == [of_blob("pull")]


def test_an_upload_tells_when_it_is_a_blob(registry: NotifyingRegistry, told: list[Occurrence]) -> None:
    upload = registry.start_upload("a")
    assert upload.write(io.BytesIO(b"bl")) == upload.offset == 2
    upload.close()
    upload = registry.resume_upload("a", upload.id)
    assert (upload.offset, told) == (2, [])
    upload.write(io.BytesIO(b"ob"))
    upload.commit(BLOB)
    assert told == [of_blob("push")]
    cancelled, wrong = registry.start_upload("a"), registry.start_upload("a")
    cancelled.cancel()
    with pytest.raises(DigestInvalid):
        wrong.commit(BLOB)
    assert told == [of_blob("push")]


def test_manifests(registry: NotifyingRegistry, told: list[Occurrence]) -> None:
    push(registry, "a", IMAGE, "v1", "v2")
    push(registry, "a", IMAGE)
    registry.resolve_manifest("a", "v1")
    registry.get_manifest("a", IMAGE.digest)
    registry.open_manifest("a", "v2")
    facts = (MANIFESTS, "a", IMAGE.digest, OCI_MANIFEST, len(IMAGE.content))
    assert [each[:7] for each in told] == [
        ("push", *facts, "v1"),
        ("push", *facts, "v2"),
        ("push", *facts, ""),
        ("pull", *facts, "v1"),
        ("pull", *facts, ""),
        ("pull", *facts, "v2"),
    ]
    assert {tuple(descriptor.digest for descriptor in each.references) for each in told} == {
        (Digest.of(b"{}"), BLOB)
    }


def test_an_index_refers_to_its_manifests(registry: NotifyingRegistry, told: list[Occurrence]) -> None:
    push(registry, "a", index(IMAGE), "v1")
    registry.resolve_manifest("a", "v1")
    assert [[each.digest for each in occurrence.references] for occurrence in told] == [[IMAGE.digest]] * 2


def test_who_wants_no_references_of_pulls_reads_nothing_again(
    registry: NotifyingRegistry, told: list[Occurrence], monkeypatch: pytest.MonkeyPatch
) -> None:
    pushes_alone = NotifyingRegistry(registry.inner, told.append, ("push",))
    push(pushes_alone, "a", IMAGE, "v1")
    monkeypatch.setattr(registry.inner, "get_manifest", pytest.fail)
    pushes_alone.resolve_manifest("a", "v1")
    assert [(each.action, len(each.references)) for each in told] == [("push", 2), ("pull", 0)]


def test_deletions_name_the_tags_that_went_too(registry: NotifyingRegistry, told: list[Occurrence]) -> None:
    push(registry, "a", IMAGE, "v1", "v2", "v3")
    told.clear()
    registry.delete_tag("a", "v2")
    assert registry.delete_manifest("a", IMAGE.digest) == ["v1", "v3"]
    assert told == [
        Occurrence("delete", MANIFESTS, "a", tag="v2"),
        Occurrence("delete", MANIFESTS, "a", IMAGE.digest),
        Occurrence("delete", MANIFESTS, "a", tag="v1"),
        Occurrence("delete", MANIFESTS, "a", tag="v3"),
    ]


def test_what_fails_is_not_told(registry: NotifyingRegistry, told: list[Occurrence]) -> None:
    with pytest.raises(BlobUnknown):
        registry.open_blob("a", BLOB)
    with pytest.raises(BlobUnknown):
        registry.open_blob("a", BLOB, 1)
    with pytest.raises(BlobUnknown):
        registry.mount_blob("b", BLOB, "a")
    with pytest.raises(BlobUnknown):
        registry.delete_blob("a", BLOB)
    with pytest.raises(DigestInvalid):
        registry.push_blob("a", BLOB, io.BytesIO(b"other"))
    with pytest.raises(ManifestUnknown):
        registry.delete_manifest("a", BLOB)
    with pytest.raises(ManifestUnknown):
        registry.resolve_manifest("a", "v1")
    assert registry.has_blob("a", BLOB) is False
    assert told == []
