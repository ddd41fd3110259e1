"""Content that a file system can share instead of copying: what counts is what the new file holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.storage.in_file import InFile
from tests.storage.samples import read_blob
from udist_plugin.errors import BlobUnknown, DigestInvalid
from udist_plugin.oci.digest import Digest

if TYPE_CHECKING:
    from udist_plugin.drivers.base import StorageDriver
    from udist_plugin.storage.registry import StorageRegistry

BLOB = bytes(range(251)) * 20_000
DIGEST = Digest.of(BLOB)


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_a_blob_is_shared_where_the_driver_can(
    registry: StorageRegistry, driver: StorageDriver, algorithm: str
) -> None:
    content, digest = InFile(BLOB), Digest.of(BLOB, algorithm)
    assert registry.push_blob("a", digest, content).size == len(BLOB)
    assert content.shared == (driver.name == "filesystem")
    assert read_blob(registry, "a", digest) == BLOB


def test_what_is_hashed_is_what_was_stored(registry: StorageRegistry, driver: StorageDriver) -> None:
    content = InFile(BLOB, instead=BLOB[:-1] + b"?")
    if driver.name != "filesystem":
        registry.push_blob("a", DIGEST, content)
        return
    with pytest.raises(DigestInvalid):
        registry.push_blob("a", DIGEST, content)
    with pytest.raises(BlobUnknown):
        registry.resolve_blob("a", DIGEST)


def test_an_upload_in_chunks_is_written(registry: StorageRegistry) -> None:
    upload = registry.start_upload("a")
    contents = InFile(BLOB[:1000]), InFile(BLOB[1000:])
    assert [upload.write(content) for content in contents] == [1000, len(BLOB)]
    upload.commit(DIGEST)
    assert not any(content.shared for content in contents)
    assert read_blob(registry, "a", DIGEST) == BLOB
