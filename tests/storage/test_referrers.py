"""Referrers: an index that may be short, gone or broken, and an answer that is right all the same."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.http_api.wsgi import Client
from tests.storage.samples import image, index, push
from udist_plugin.drivers.base import SMALL_FILE_MAX
from udist_plugin.drivers.inmemory import InMemoryDriver
from udist_plugin.errors import StorageFull
from udist_plugin.http_api.app import Application
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.media_types import OCI_EMPTY, OCI_MANIFEST
from udist_plugin.registry import Page
from udist_plugin.storage import paths, referrers
from udist_plugin.storage.registry import StorageRegistry

if TYPE_CHECKING:
    from udist_plugin.drivers.base import StorageDriver

SUBJECT = image(b"subject")


def listed(registry: StorageRegistry, artifact_type: str | None = None) -> list[str]:
    page = registry.list_referrers("a", SUBJECT.digest, artifact_type)
    assert page.last is None
    return [descriptor.digest for descriptor in page.items]


def test_referrers_are_described(registry: StorageRegistry) -> None:
    own = image(b"1", subject=SUBJECT, artifact_type="a/signature", annotations={"key": "value"})
    configured = image(b"2", subject=SUBJECT)
    indexed = index(subject=SUBJECT)
    for document in (SUBJECT, own, configured, indexed, image(b"3", subject=own)):
        push(registry, "a", document)
    found = {item.digest: item for item in registry.list_referrers("a", SUBJECT.digest).items}
    assert list(found) == sorted([own.digest, configured.digest, indexed.digest])
    described = found[own.digest]
    assert described.artifact_type == "a/signature"
    assert described.annotations == {"key": "value"}
    assert described.size == len(own.content)
    assert found[configured.digest].artifact_type == OCI_EMPTY
    assert found[indexed.digest].artifact_type is None
    assert "artifactType" not in found[indexed.digest].to_json()


def test_a_subject_need_not_exist(registry: StorageRegistry) -> None:
    assert registry.list_referrers("a", SUBJECT.digest) == Page([])
    document = image(b"1", subject=SUBJECT)
    push(registry, "a", document)
    assert listed(registry) == [document.digest]
    assert registry.list_referrers("b", SUBJECT.digest) == Page([])


def test_referrers_are_filtered_by_type(registry: StorageRegistry) -> None:
    documents = [
        image(b"%d" % number, subject=SUBJECT, artifact_type=f"t/{number % 2}") for number in range(6)
    ]
    for document in documents:
        push(registry, "a", document)
    assert listed(registry, "t/1") == sorted(document.digest for document in documents[1::2])
    assert listed(registry, "t/2") == []


def test_a_deleted_referrer_is_gone_and_comes_back(registry: StorageRegistry, driver: StorageDriver) -> None:
    document = image(b"1", subject=SUBJECT)
    push(registry, "a", document, "tag")
    assert listed(registry) == [document.digest]
    registry.delete_manifest("a", document.digest)
    assert listed(registry) == []
    push(registry, "a", document)
    assert listed(registry) == [document.digest]
    driver.delete(paths.link(paths.revision("a", document.digest)))  # as a stock server deletes
    assert listed(registry) == []
    assert listed(StorageRegistry(driver)) == []


def test_one_that_cannot_be_read_does_not_hide_the_others(
    registry: StorageRegistry, driver: StorageDriver
) -> None:
    documents = sorted(
        (image(b"%d" % number, subject=SUBJECT) for number in range(3)), key=lambda d: d.digest
    )
    for document in documents:
        push(registry, "a", document)
    assert listed(registry) == [document.digest for document in documents]
    driver.delete(paths.blob_data(documents[0].digest))
    for reader in (registry, StorageRegistry(driver)):  # one knows what it refers to, and one does not
        assert listed(reader) == [document.digest for document in documents[1:]]


@pytest.fixture
def saving(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(referrers, "UNSAVED_MAX", 3)


@pytest.mark.usefixtures("saving")
def test_the_index_spares_reading(driver: StorageDriver, read: list[str]) -> None:
    registry = StorageRegistry(driver)
    others = [image(b"other %d" % number) for number in range(20)]
    documents = [image(b"%d" % number, subject=SUBJECT) for number in range(3)]
    for document in (*others, *documents):
        push(registry, "a", document)
    expected = sorted(document.digest for document in documents)
    assert listed(registry) == expected
    fresh = StorageRegistry(driver)
    read.clear()
    assert listed(fresh) == expected
    assert [path for path in read if path.endswith("/data")] == [
        paths.blob_data(document.digest)
        for document in sorted(documents, key=lambda document: document.digest)
    ]


@pytest.mark.usefixtures("saving")
def test_the_index_is_written_again_when_an_eighth_is_missing() -> None:
    driver = InMemoryDriver()
    registry = StorageRegistry(driver)
    stored = [b""]
    for first, last in ((0, 72), (72, 81), (81, 82)):
        for number in range(first, last):
            push(registry, "a", image(b"%d" % number))
        listed(registry)
        stored.append(driver.get_content(paths.subjects("a"), SMALL_FILE_MAX))
    assert [content.count(b"\n") for content in stored] == [0, 72, 72, 82]


@pytest.mark.usefixtures("saving")
@pytest.mark.parametrize("broken", [None, b"", b"\xff\xfe\n\n sha256:\n", b"sha256:00 sha256:11\n"])
def test_the_index_may_be_lost_or_broken(driver: StorageDriver, broken: bytes | None) -> None:
    registry = StorageRegistry(driver)
    documents = [image(b"%d" % number, subject=SUBJECT) for number in range(10)]
    for document in documents:
        push(registry, "a", document)
    expected = sorted(document.digest for document in documents)
    assert listed(registry) == expected
    assert driver.exists(paths.subjects("a"))
    if broken is None:
        driver.delete(paths.OWN)
    else:
        driver.put_content(paths.subjects("a"), broken)
    assert listed(StorageRegistry(driver)) == expected


@pytest.mark.usefixtures("saving")
def test_the_index_may_be_cut_anywhere(driver: StorageDriver) -> None:
    """Nothing waits until it is on the disk, so a power failure may leave its beginning alone."""
    documents = [image(b"%d" % number, subject=SUBJECT) for number in range(5)]
    for document in documents:
        push(StorageRegistry(driver), "a", document)
    expected = sorted(document.digest for document in documents)
    assert listed(StorageRegistry(driver)) == expected
    whole = driver.get_content(paths.subjects("a"))
    last = whole.rstrip(b"\n").rfind(b"\n") + 1
    for end in range(last, len(whole) + 1):
        driver.put_content(paths.subjects("a"), whole[:end])
        assert listed(StorageRegistry(driver)) == expected, whole[last:end]


@pytest.mark.usefixtures("saving")
def test_a_store_that_takes_nothing_still_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    driver = InMemoryDriver()
    documents = [image(b"%d" % number, subject=SUBJECT) for number in range(10)]
    for document in documents:
        push(StorageRegistry(driver), "a", document)

    def full(path: str, content: bytes, *, durable: bool = True) -> None:
        raise StorageFull("no room", path=path)

    monkeypatch.setattr(driver, "put_content", full)
    assert len(listed(StorageRegistry(driver))) == 10


@pytest.mark.usefixtures("saving")
def test_reading_writes_nothing_when_told_so(driver: StorageDriver) -> None:
    for number in range(10):
        push(StorageRegistry(driver), "a", image(b"%d" % number, subject=SUBJECT))
    assert len(listed(StorageRegistry(driver, save_referrers=False))) == 10
    assert not driver.exists(paths.subjects("a"))


def test_an_unreadable_manifest_does_not_hide_the_others(
    registry: StorageRegistry, driver: StorageDriver
) -> None:
    documents = [image(b"%d" % number, subject=SUBJECT) for number in range(3)]
    for document in documents:
        push(registry, "a", document)
    driver.put_content(paths.blob_data(documents[0].digest), b"garbage")
    driver.delete(paths.blob_data(documents[1].digest))
    assert listed(StorageRegistry(driver)) == [documents[2].digest]


MALFORMED: list[dict[str, Any]] = [
    {"subject": {"mediaType": OCI_MANIFEST, "digest": "sha256:x", "size": 1}},
    {"subject": {"mediaType": OCI_MANIFEST, "digest": f"sha384:{'0' * 96}", "size": 1}},
    {"subject": "x"},
    {"subject": {**SUBJECT.descriptor, "size": "many"}},
    {"layers": [{"digest": "x"}], "subject": SUBJECT.descriptor},
    {"config": None, "subject": SUBJECT.descriptor},
    {"annotations": {"a": 1, "b": "c"}, "subject": SUBJECT.descriptor},
    {"artifactType": 5, "subject": SUBJECT.descriptor},
]


def test_a_malformed_manifest_of_another_server_does_not_hide_the_others(
    registry: StorageRegistry, driver: StorageDriver
) -> None:
    document = image(b"1", subject=SUBJECT)
    push(registry, "a", document)
    expected = [document.digest]
    for more in MALFORMED:
        content = json.dumps({**json.loads(image().content), **more}).encode()
        digest = Digest.of(content)
        driver.put_content(paths.blob_data(digest), content)
        driver.put_content(paths.link(paths.revision("a", digest)), digest.encode())
        if more.get("subject") == SUBJECT.descriptor:
            expected.append(digest)
    answer = Client(Application(StorageRegistry(driver))).get(f"/v2/a/referrers/{SUBJECT.digest}")
    assert [each["digest"] for each in answer.json()["manifests"]] == sorted(expected)
    annotations = [each["annotations"] for each in answer.json()["manifests"] if "annotations" in each]
    assert annotations == [{"b": "c"}]


@pytest.mark.parametrize("size", [10, 1 << 20])
def test_referrers_come_in_pages(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """A page ends at its number of entries, or when its manifests together are as large as one may be."""
    monkeypatch.setattr(referrers, "PAGE_MAX", 4)
    registry = StorageRegistry(InMemoryDriver())
    documents = [
        image(b"%d" % number, subject=SUBJECT, annotations={"note": "x" * size}) for number in range(10)
    ]
    for document in documents:
        push(registry, "a", document)
    found: list[str] = []
    lengths = []
    last: str | None = ""
    while last is not None:
        page = registry.list_referrers("a", SUBJECT.digest, None, last)
        found += [item.digest for item in page.items]
        lengths.append(len(page.items))
        last = page.last
    assert found == sorted(document.digest for document in documents)
    assert lengths == ([4, 4, 2] if size == 10 else [3, 3, 3, 1])
