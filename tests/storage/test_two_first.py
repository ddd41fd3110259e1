"""Two plugins add to one upload at the same offset, and the store tells both that they were first, as Swift
may: what is acknowledged in the end has the digest that its name says."""

from __future__ import annotations

import io

import pytest

from tests.drivers.memory_store import MemoryObjects, MemoryStore
from tests.storage.samples import read_blob
from udist_plugin.errors import BlobUnknown, BlobUploadUnknown, DigestInvalid
from udist_plugin.oci.digest import Digest
from udist_plugin.storage.registry import StorageRegistry

FIRST, SECOND = b"1" * 3000, b"2" * 3000
MORE = b"and more"


class Racing(MemoryStore):
    """One that looks whether an object is new before the other one stands."""

    def store(self, key: str, content: bytes, mark: str) -> None:
        self._objects.pop(key, None)
        super().store(key, content, mark)


@pytest.fixture
def store() -> Racing:
    return Racing()


@pytest.fixture
def registries(store: Racing) -> tuple[StorageRegistry, StorageRegistry]:
    return StorageRegistry(MemoryObjects(store)), StorageRegistry(MemoryObjects(store))


@pytest.mark.parametrize("resumed", [False, True], ids=["the same request", "another request"])
@pytest.mark.parametrize("more", [b"", MORE], ids=["at once", "after another part"])
def test_a_commit_is_of_what_stands(
    registries: tuple[StorageRegistry, StorageRegistry], resumed: bool, more: bytes
) -> None:
    one, two = registries
    ours = one.start_upload("a")
    theirs = two.resume_upload("a", ours.id)
    ours.write(io.BytesIO(FIRST))
    theirs.write(io.BytesIO(SECOND))
    theirs.close()
    if resumed:
        ours.close()
        ours = one.resume_upload("a", ours.id)
    ours.write(io.BytesIO(more))
    with pytest.raises(DigestInvalid):
        ours.commit(Digest.of(FIRST + more))
    for registry in registries:
        with pytest.raises(BlobUnknown):
            registry.resolve_blob("a", Digest.of(FIRST + more))


def test_whose_bytes_stand_commits_them(registries: tuple[StorageRegistry, StorageRegistry]) -> None:
    one, two = registries
    ours = one.start_upload("a")
    theirs = two.resume_upload("a", ours.id)
    ours.write(io.BytesIO(FIRST))
    theirs.write(io.BytesIO(SECOND))
    theirs.commit(Digest.of(SECOND))
    assert read_blob(one, "a", Digest.of(SECOND)) == SECOND
    with pytest.raises(BlobUploadUnknown):
        ours.commit(Digest.of(FIRST))
