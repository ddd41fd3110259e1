"""What a remembered size answers, and what is looked up whatever is remembered."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from tests.storage.samples import image
from udist_plugin.drivers.inmemory import InMemoryDriver
from udist_plugin.errors import BlobUnknown, ManifestBlobUnknown
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.manifest import Manifest
from udist_plugin.storage import paths
from udist_plugin.storage.registry import StorageRegistry
from udist_plugin.storage.sizes.sizes import LARGEST_SIZE, MemorySizes
from udist_plugin.wrappers.validation import ValidatingRegistry

if TYPE_CHECKING:
    from collections.abc import Callable

    from udist_plugin.drivers.base import FileInfo
    from udist_plugin.registry import Registry

BLOB = b"some content"
DIGEST = Digest.of(BLOB)
DATA = paths.blob_data(DIGEST)


class Watched(InMemoryDriver):
    """Notes what is looked at."""

    def __init__(self) -> None:
        super().__init__()
        self.looked_at: list[str] = []

    def stat(self, path: str) -> FileInfo:
        self.looked_at.append(path)
        return super().stat(path)

    def url_for(self, path: str) -> str:
        return f"https://bucket.example{path}"


@pytest.fixture
def driver() -> Watched:
    return Watched()


@pytest.fixture
def registry(driver: Watched) -> StorageRegistry:
    return StorageRegistry(driver, sizes=MemorySizes())


def test_the_data_is_looked_at_once(driver: Watched) -> None:
    StorageRegistry(driver).push_blob("a", DIGEST, io.BytesIO(BLOB))
    reader = StorageRegistry(driver, sizes=MemorySizes())
    for _ in range(3):
        assert reader.resolve_blob("a", DIGEST).size == len(BLOB)
    assert driver.looked_at.count(DATA) == 1


def test_what_was_pushed_is_known(registry: StorageRegistry, driver: Watched) -> None:
    registry.push_blob("a", DIGEST, io.BytesIO(BLOB))
    upload = registry.start_upload("b")
    upload.write(io.BytesIO(b"more"))
    upload.commit(Digest.of(b"more"))
    driver.looked_at.clear()
    assert registry.resolve_blob("a", DIGEST).size == len(BLOB)
    assert registry.resolve_blob("b", Digest.of(b"more")).size == 4
    assert driver.looked_at == []


def test_a_size_says_nothing_of_a_repository(registry: StorageRegistry, driver: Watched) -> None:
    registry.push_blob("a", DIGEST, io.BytesIO(BLOB))
    with pytest.raises(BlobUnknown):
        registry.resolve_blob("b", DIGEST)
    StorageRegistry(driver).delete_blob("a", DIGEST)  # by another plugin
    with pytest.raises(BlobUnknown):
        registry.resolve_blob("a", DIGEST)


def mount(registry: Registry) -> None:
    registry.mount_blob("b", DIGEST, "a")


def mount_from_anywhere(registry: Registry) -> None:
    registry.mount_blob("b", DIGEST, None)


def read(registry: Registry) -> None:
    registry.open_blob("a", DIGEST).close()


def locate(registry: Registry) -> None:
    registry.locate_blob("a", DIGEST)


def push_image(registry: Registry) -> None:
    document = image(BLOB, config=BLOB)
    registry.push_manifest("a", Manifest.parse(document.content, document.media_type))


@pytest.mark.parametrize("verb", [mount, mount_from_anywhere, read, locate, push_image])
def test_whoever_finds_the_data_gone_forgets_the_size(
    registry: StorageRegistry, driver: Watched, verb: Callable[[Registry], None]
) -> None:
    """distribution 2's collector takes the data and leaves the link, which HEAD believes until then."""
    registry.push_blob("a", DIGEST, io.BytesIO(BLOB))
    driver.delete(DATA)
    assert registry.resolve_blob("a", DIGEST).size == len(BLOB)
    with pytest.raises((BlobUnknown, ManifestBlobUnknown)):
        verb(ValidatingRegistry(registry))
    with pytest.raises(BlobUnknown):
        registry.resolve_blob("a", DIGEST)


def test_a_push_replaces_a_size_read_of_damaged_data(registry: StorageRegistry, driver: Watched) -> None:
    StorageRegistry(driver).push_blob("a", DIGEST, io.BytesIO(BLOB))
    driver.put_content(DATA, BLOB[:4])
    assert registry.resolve_blob("a", DIGEST).size == 4
    registry.push_blob("a", DIGEST, io.BytesIO(BLOB))
    assert registry.resolve_blob("a", DIGEST).size == len(BLOB)


@pytest.mark.parametrize(("limit", "kept"), [(3, 3), (0, LARGEST_SIZE), (-1, LARGEST_SIZE)])
def test_memory_is_bounded(limit: int, kept: int, monkeypatch: pytest.MonkeyPatch) -> None:
    if kept == LARGEST_SIZE:
        kept = 5
        monkeypatch.setattr("udist_plugin.storage.sizes.sizes.LARGEST_SIZE", kept)
    sizes = MemorySizes(limit)
    digests = [Digest.of(bytes([number])) for number in range(8)]
    for digest in digests:
        sizes.learn(digest, 1)
    assert [sizes.size(digest) for digest in digests] == [None] * (8 - kept) + [1] * kept
