"""Blobs: what is pushed comes back, belongs to the repositories that link it, and to no other."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from tests.storage.samples import read_blob
from udist_plugin.errors import BlobUnknown, DigestInvalid, NameInvalid
from udist_plugin.oci.digest import Digest
from udist_plugin.storage import paths
from udist_plugin.storage.links import write_link
from udist_plugin.storage.registry import StorageRegistry

if TYPE_CHECKING:
    from udist_plugin.drivers.base import StorageDriver

BLOB = b"some content"
DIGEST = Digest.of(BLOB)


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, (3 << 20) + 1])
def test_a_pushed_blob_comes_back(registry: StorageRegistry, algorithm: str, size: int) -> None:
    blob = bytes(range(251)) * (size // 251 + 1)
    blob = blob[:size]
    digest = Digest.of(blob, algorithm)
    descriptor = registry.push_blob("a/b", digest, io.BytesIO(blob))
    assert (descriptor.digest, descriptor.size) == (digest, size)
    assert registry.resolve_blob("a/b", digest) == descriptor
    assert read_blob(registry, "a/b", digest) == blob
    with registry.open_blob("a/b", digest, size // 3, size // 2) as content:
        assert content.read() == blob[size // 3 : size // 2]


def test_links_are_as_distribution_writes_them(registry: StorageRegistry, driver: StorageDriver) -> None:
    for algorithm in ("sha256", "sha512"):
        digest = Digest.of(BLOB, algorithm)
        registry.push_blob("a/b", digest, io.BytesIO(BLOB))
        root = "/docker/registry/v2"
        link = f"{root}/repositories/a/b/_layers/{algorithm}/{digest.hex}/link"
        assert driver.get_content(link) == digest.encode()
        assert driver.get_content(f"{root}/blobs/{algorithm}/{digest.hex[:2]}/{digest.hex}/data") == BLOB


def test_the_content_of_a_link_names_the_blob(registry: StorageRegistry, driver: StorageDriver) -> None:
    """distribution stores what was pushed by sha512 under its sha256 and links it."""
    other = Digest.of(BLOB, "sha512")
    registry.push_blob("a", DIGEST, io.BytesIO(BLOB))
    write_link(driver, paths.link(paths.layer("a", other)), DIGEST)
    assert registry.resolve_blob("a", other).digest == other
    assert read_blob(registry, "a", other) == BLOB
    registry.mount_blob("b", other, "a")
    assert read_blob(registry, "b", other) == BLOB


def test_a_wrong_digest_leaves_nothing(registry: StorageRegistry, driver: StorageDriver) -> None:
    wrong = Digest.of(b"other content")
    with pytest.raises(DigestInvalid):
        registry.push_blob("a", wrong, io.BytesIO(BLOB))
    with pytest.raises(BlobUnknown):
        registry.resolve_blob("a", wrong)
    assert not driver.exists(paths.BLOBS)


def test_a_blob_is_unknown_to_other_repositories(registry: StorageRegistry) -> None:
    registry.push_blob("a", DIGEST, io.BytesIO(BLOB))
    for verb in (registry.resolve_blob, registry.open_blob, registry.delete_blob):
        with pytest.raises(BlobUnknown):
            verb("b", DIGEST)
    with pytest.raises(BlobUnknown):
        registry.mount_blob("b", DIGEST, "c")


def test_mounting_links(registry: StorageRegistry) -> None:
    registry.push_blob("a", DIGEST, io.BytesIO(BLOB))
    assert registry.mount_blob("b/c", DIGEST, "a").size == len(BLOB)
    registry.delete_blob("a", DIGEST)
    assert read_blob(registry, "b/c", DIGEST) == BLOB


def test_mounting_from_anywhere(registry: StorageRegistry) -> None:
    with pytest.raises(BlobUnknown):
        registry.mount_blob("b", DIGEST, None)
    registry.push_blob("a", DIGEST, io.BytesIO(BLOB))
    assert registry.mount_blob("b", DIGEST, None).size == len(BLOB)
    assert read_blob(registry, "b", DIGEST) == BLOB


def test_a_deleted_blob_is_unknown_and_can_be_pushed_again(registry: StorageRegistry) -> None:
    registry.push_blob("a", DIGEST, io.BytesIO(BLOB))
    registry.delete_blob("a", DIGEST)
    for verb in (registry.resolve_blob, registry.open_blob, registry.delete_blob):
        with pytest.raises(BlobUnknown):
            verb("a", DIGEST)
    registry.push_blob("a", DIGEST, io.BytesIO(BLOB))
    assert read_blob(registry, "a", DIGEST) == BLOB


def test_a_link_without_data_is_unknown_until_pushed_again(
    registry: StorageRegistry, driver: StorageDriver
) -> None:
    registry.push_blob("a", DIGEST, io.BytesIO(BLOB))
    driver.delete(paths.blob_data(DIGEST))
    for verb in (registry.resolve_blob, registry.open_blob):
        with pytest.raises(BlobUnknown):
            verb("a", DIGEST)
    registry.push_blob("a", DIGEST, io.BytesIO(BLOB))
    assert read_blob(registry, "a", DIGEST) == BLOB


@pytest.mark.parametrize("content", [b"", b"sha256:", b"../../../etc/passwd", b"\xff" * 71, b"x" * 5000])
def test_a_broken_link_is_none_until_the_blob_is_pushed_again(
    registry: StorageRegistry, driver: StorageDriver, content: bytes
) -> None:
    registry.push_blob("a", DIGEST, io.BytesIO(BLOB))
    driver.put_content(paths.link(paths.layer("a", DIGEST)), content)
    assert_unknown(registry)
    registry.push_blob("a", DIGEST, io.BytesIO(BLOB))
    assert read_blob(registry, "a", DIGEST) == BLOB


def assert_unknown(registry: StorageRegistry) -> None:
    assert not registry.has_blob("a", DIGEST)
    for verb in (registry.resolve_blob, registry.open_blob):
        with pytest.raises(BlobUnknown):
            verb("a", DIGEST)
    with pytest.raises(BlobUnknown):
        registry.mount_blob("b", DIGEST, "a")


def test_data_that_a_crash_left_empty_is_none_until_the_blob_is_pushed_again(
    registry: StorageRegistry, driver: StorageDriver
) -> None:
    registry.push_blob("a", DIGEST, io.BytesIO(BLOB))
    driver.put_content(paths.blob_data(DIGEST), b"")
    assert_unknown(StorageRegistry(driver))
    registry.push_blob("a", DIGEST, io.BytesIO(BLOB))
    assert read_blob(registry, "a", DIGEST) == BLOB


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_the_digest_of_nothing_is_that_of_empty_data_alone(
    registry: StorageRegistry, driver: StorageDriver, algorithm: str
) -> None:
    nothing = Digest.of(b"", algorithm)
    registry.push_blob("a", nothing, io.BytesIO(b""))
    assert (registry.resolve_blob("a", nothing).size, read_blob(registry, "a", nothing)) == (0, b"")
    driver.put_content(paths.blob_data(nothing), b"x")
    assert not registry.has_blob("a", nothing)


@pytest.mark.parametrize("name", ["", "..", "a/../b", "/a", "a/", "A", "a//b", "_layers", "a\0", "a" * 256])
def test_names_never_leave_the_repositories(registry: StorageRegistry, name: str) -> None:
    with pytest.raises(NameInvalid):
        registry.push_blob(name, DIGEST, io.BytesIO(BLOB))
    with pytest.raises(NameInvalid):
        registry.resolve_blob(name, DIGEST)
