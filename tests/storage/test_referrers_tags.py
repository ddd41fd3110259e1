"""The tags by which stock servers find referrers equal the index, whoever changed it."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from tests.drivers.memory_store import MemoryObjects
from tests.storage.samples import Document, image, index, push
from udist_plugin.drivers.filesystem.driver import FilesystemDriver
from udist_plugin.drivers.inmemory import InMemoryDriver
from udist_plugin.errors import ManifestUnknown
from udist_plugin.oci.media_types import OCI_INDEX
from udist_plugin.oci.reference import referrers_tag
from udist_plugin.registry import Page
from udist_plugin.storage import paths
from udist_plugin.storage.referrers_tags import ReferrersTags
from udist_plugin.storage.registry import StorageRegistry

if TYPE_CHECKING:
    from pathlib import Path

    from udist_plugin.drivers.base import StorageDriver
    from udist_plugin.oci.manifest import Manifest

SUBJECT = image(b"subject")
TAG = f"sha256-{SUBJECT.digest.hex}"
SIGNATURES = [
    image(b"%d" % number, subject=SUBJECT, artifact_type="a/signature", annotations={"number": str(number)})
    for number in range(16)
]


@pytest.fixture
def registry(driver: StorageDriver) -> StorageRegistry:
    return StorageRegistry(driver, referrers_tags=True)


def check(registry: StorageRegistry, *expected: Document) -> None:
    """The tag lists what the index does, with the same properties; without referrers there is none."""
    listed = registry.list_referrers("a", SUBJECT.digest).items
    assert [item.digest for item in listed] == sorted(document.digest for document in expected)
    if not expected:
        with pytest.raises(ManifestUnknown):
            registry.get_manifest("a", TAG)
        return
    found = registry.get_manifest("a", TAG)
    assert found.media_type == OCI_INDEX
    assert json.loads(found.content)["manifests"] == [item.to_json() for item in listed]


def test_it_is_made_extended_and_shrunk(registry: StorageRegistry) -> None:
    check(registry)
    for number in range(3):
        push(registry, "a", SIGNATURES[number])
        check(registry, *SIGNATURES[: number + 1])
    push(registry, "a", SIGNATURES[0])
    check(registry, *SIGNATURES[:3])
    for number in range(3):
        registry.delete_manifest("a", SIGNATURES[number].digest)
        check(registry, *SIGNATURES[number + 1 : 3])
    assert registry.list_tags("a") == Page([])


def test_an_index_may_refer_too(registry: StorageRegistry) -> None:
    document = index(subject=SUBJECT)
    push(registry, "a", document, "v1")
    check(registry, document)
    assert registry.list_tags("a") == Page([TAG, "v1"])


def test_a_long_digest_is_cut(registry: StorageRegistry) -> None:
    long = image(b"subject", algorithm="sha512")
    push(registry, "a", image(b"1", subject=long))
    assert referrers_tag(long.digest) == f"sha512-{long.digest.hex[:64]}"
    assert registry.list_tags("a") == Page([referrers_tag(long.digest)])


def test_it_is_a_setting(driver: StorageDriver) -> None:
    registry = StorageRegistry(driver)
    push(registry, "a", SIGNATURES[0], "v1")
    registry.delete_manifest("a", SIGNATURES[0].digest)
    push(registry, "a", SIGNATURES[1], "v1")
    assert registry.list_tags("a") == Page(["v1"])


def test_what_a_client_listed_there_stays(registry: StorageRegistry) -> None:
    """As those do that talked to a stock server, or attach what does not name its subject."""
    other, gone = image(b"other"), image(b"gone")
    push(registry, "a", other)
    push(registry, "a", index(other, gone, SIGNATURES[1]), TAG)
    push(registry, "a", SIGNATURES[0])
    listed = json.loads(registry.get_manifest("a", TAG).content)["manifests"]
    assert [each["digest"] for each in listed] == sorted([other.digest, SIGNATURES[0].digest])
    registry.delete_manifest("a", SIGNATURES[0].digest)
    listed = json.loads(registry.get_manifest("a", TAG).content)["manifests"]
    assert [each["digest"] for each in listed] == [other.digest]


def test_a_tag_of_an_image_is_left_alone(registry: StorageRegistry) -> None:
    document = image(b"an image")
    push(registry, "a", document, TAG)
    push(registry, "a", SIGNATURES[0])
    assert registry.get_manifest("a", TAG).digest == document.digest


def test_an_index_that_would_be_too_large_is_not_written(
    registry: StorageRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("udist_plugin.oci.manifest.MANIFEST_MAX", 3000)
    documents = [image(subject=SUBJECT, annotations={name: "x" * 2000}) for name in "ab"]
    push(registry, "a", documents[0])
    before = registry.get_manifest("a", TAG)
    push(registry, "a", documents[1])
    assert registry.get_manifest("a", TAG) == before
    assert len(registry.list_referrers("a", SUBJECT.digest).items) == 2


def test_a_store_that_was_filled_without_is_brought_up_to_date(driver: StorageDriver) -> None:
    before = StorageRegistry(driver)
    other = image(b"x", subject=image(b"another"))
    for document in (*SIGNATURES[:3], other, image()):
        push(before, "a", document)
    push(before, "a", index(SIGNATURES[5]), f"sha256-{image(b'none').digest.hex}")
    registry = StorageRegistry(driver, referrers_tags=True)
    assert registry.sync_referrers_tags("a") == 3  # the third lists nothing that stands
    check(registry, *SIGNATURES[:3])
    assert registry.list_tags("a") == Page(sorted([TAG, referrers_tag(image(b"another").digest)]))
    assert registry.sync_referrers_tags("a") == 0
    driver.delete(paths.revision("a", SIGNATURES[0].digest))  # as a stock server deletes
    assert registry.sync_referrers_tags("a") == 1
    check(registry, *SIGNATURES[1:3])
    assert registry.sync_referrers_tags("nowhere") == 0


def test_tags_that_are_in_step_cost_one_read_of_the_index() -> None:
    driver = MemoryObjects()
    registry = StorageRegistry(driver, referrers_tags=True)
    for number in range(4):
        push(registry, "a", image(b"x", subject=image(b"%d" % number)))
    driver.objects.requests.clear()
    assert registry.sync_referrers_tags("a") == 0
    assert driver.objects.requests.count(f"get {paths.subjects('a')[1:]}") == 1


@pytest.mark.parametrize("kind", ["folder", "memory", "objects"])
def test_any_number_at_once(tmp_path: Path, kind: str) -> None:
    driver: StorageDriver
    if kind == "folder":
        driver = FilesystemDriver(str(tmp_path), paths.SCRATCH)
    else:
        driver = InMemoryDriver() if kind == "memory" else MemoryObjects()
    registries = [StorageRegistry(driver, referrers_tags=True) for _ in range(8)]
    for document in SIGNATURES[:4]:
        push(registries[0], "a", document)

    def change(number: int) -> None:
        if number < 4:
            registries[number].delete_manifest("a", SIGNATURES[number].digest)
        else:
            push(registries[number % 8], "a", SIGNATURES[number])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(change, range(16)))
    check(registries[0], *SIGNATURES[4:])


@pytest.mark.parametrize("whole", [False, True])
def test_those_who_overwrite_each_other_agree(
    driver: StorageDriver, monkeypatch: pytest.MonkeyPatch, whole: bool
) -> None:
    """One computes the index, another pushes and writes its own, and then the first writes."""
    first, second = (StorageRegistry(driver, referrers_tags=True) for _ in range(2))
    wanted = ReferrersTags._wanted
    overtaken: list[Document] = []

    def slow(tags: ReferrersTags, *arguments: Any) -> Manifest | None:
        found = wanted(tags, *arguments)
        if not overtaken:
            overtaken.append(SIGNATURES[1])
            push(second, "a", SIGNATURES[1])
        return found

    monkeypatch.setattr(ReferrersTags, "_wanted", slow)
    push(StorageRegistry(driver) if whole else first, "a", SIGNATURES[0])
    if whole:
        first.sync_referrers_tags("a")
    assert overtaken == [SIGNATURES[1]]
    check(first, *SIGNATURES[:2])


def test_one_who_is_overtaken_to_the_last_has_changed_something(
    driver: StorageDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(StorageRegistry(driver), "a", SIGNATURES[0])
    monkeypatch.setattr("udist_plugin.storage.referrers_tags.ATTEMPTS", 1)
    assert StorageRegistry(driver).sync_referrers_tags("a") == 1
