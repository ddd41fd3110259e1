"""What the collector remembers of manifests, and when it reads them all the same."""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING

import pytest

from tests.storage.samples import image, index, push, push_image
from udist_plugin.drivers.filesystem import listing
from udist_plugin.oci.digest import Digest
from udist_plugin.storage import paths
from udist_plugin.storage.collection import memory as memories
from udist_plugin.storage.collection.collect import collect
from udist_plugin.storage.collection.mark import mark
from udist_plugin.storage.collection.memory import Memory, Record, decoded, encoded

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.storage.samples import Document
    from udist_plugin.drivers.base import StorageDriver
    from udist_plugin.storage.registry import StorageRegistry

LAYERS = [b"first", b"second"]


@pytest.fixture
def images(registry: StorageRegistry) -> list[Document]:
    """In a repository each, and one in both."""
    documents = [push_image(registry, name, layer) for name, layer in zip("ab", LAYERS, strict=True)]
    push_image(registry, "b", LAYERS[0])
    return documents


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders count as settled at once."""
    monkeypatch.setattr(listing, "TICK", -1.0)


def marked(driver: StorageDriver, *, save: bool = False, trust: bool = True) -> set[Digest]:
    """Of what the tests push, what a run with that memory marks."""
    found = mark(driver, memory=Memory(driver, save=save, trust=trust))
    pushed = {Digest.of(each) for each in (b"{}", *LAYERS)} | {image(layer).digest for layer in LAYERS}
    return {digest for digest in pushed if digest in found}


def shards(driver: StorageDriver) -> list[str]:
    return [f"{paths.MARKS}/{name}" for name in driver.list(paths.MARKS) if name != "blobs"]


@pytest.mark.usefixtures("images")
def test_no_manifest_is_read_again(driver: StorageDriver, read: list[str]) -> None:
    first = marked(driver, save=True)
    assert len(first) == 5
    manifests = [path for path in read if path.startswith(paths.BLOBS)]
    assert len(manifests) == len(set(manifests)) == 2
    read.clear()
    assert marked(driver) == first
    assert not [path for path in read if path.startswith(paths.BLOBS)]


@pytest.mark.usefixtures("images")
def test_a_manifest_that_is_new_is_read(driver: StorageDriver, registry: StorageRegistry) -> None:
    marked(driver, save=True)
    new = push_image(registry, "a", b"new")
    found = mark(driver, memory=Memory(driver, save=True, trust=True))
    assert new.digest in found
    assert Digest.of(b"new") in found


def test_what_a_deleted_manifest_referred_to_is_forgotten(
    driver: StorageDriver, registry: StorageRegistry, images: list[Document]
) -> None:
    marked(driver, save=True)
    registry.delete_manifest("b", images[1].digest)
    assert marked(driver, save=True) == {Digest.of(b"{}"), Digest.of(LAYERS[0]), images[0].digest}


def test_the_memory_of_repositories_that_are_gone_is_deleted(
    driver: StorageDriver, registry: StorageRegistry, images: list[Document]
) -> None:
    marked(driver, save=True)
    assert shards(driver)
    for name in "ab":
        driver.delete(paths.repository(name))
    push_image(registry, "c", LAYERS[0])
    marked(driver, save=True)
    assert [list(decoded(driver.get_content(path))) for path in shards(driver)] == [[paths.repository("c")]]


@pytest.mark.usefixtures("images")
def test_a_dry_run_writes_no_memory(driver: StorageDriver) -> None:
    list(collect(driver))
    assert not driver.exists(paths.MARKS)
    list(collect(driver, apply=True))
    assert shards(driver)


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-1] + bytes([content[-1] ^ 1]),
        lambda content: content[:40],
        lambda content: content.replace(b"marks 1", b"marks 0"),
        lambda _: b"no memory",
    ],
    ids=["flipped", "cut", "another version", "foreign"],
)
@pytest.mark.usefixtures("images")
def test_damaged_memory_is_ignored_and_made_anew(
    driver: StorageDriver, damage: Callable[[bytes], bytes]
) -> None:
    first = marked(driver, save=True)
    sound = {path: driver.get_content(path) for path in shards(driver)}
    for path, content in sound.items():
        driver.put_content(path, damage(content))
    notes: list[str] = []
    for _ in collect(driver, apply=True, note=notes.append):
        pass
    assert sorted(note.partition(" ")[0] for note in notes) == sorted(sound)
    assert marked(driver) == first
    notes.clear()
    list(collect(driver, note=notes.append))
    assert notes == []


@pytest.mark.parametrize("index", [b"1", b"[1]", b'[["a","",0.0,["x"]]]', b"no JSON", b'[["a","",0.0,[1]]]'])
def test_a_shard_with_a_right_checksum_may_still_be_none(index: bytes) -> None:
    body = len(index).to_bytes(4, "big") + index
    with pytest.raises((ValueError, TypeError)):
        decoded(memories.MAGIC + hashlib.sha256(body).digest() + body)


def test_a_shard_is_read_as_it_was_written() -> None:
    manifests = {bytes([number]) * 32: bytes([number]) * 32 * (number + 1) for number in range(3)}
    records = {"/a": Record.of("as it is", manifests), "/b": Record.of("", {})}
    assert decoded(encoded(records)) == records
    assert records["/a"].manifests() == manifests


@pytest.mark.usefixtures("images", "settled")
def test_a_folder_that_did_not_change_is_not_read_again(
    driver: StorageDriver, registry: StorageRegistry, read: list[str]
) -> None:
    """On a file system whose times can be believed."""
    first = marked(driver, save=True)
    read.clear()
    assert marked(driver, trust=True) == first
    links = [path for path in read if path.endswith("/link")]
    if driver.name != "inmemory":  # objects tell in the list what a link holds
        assert links == []
    read.clear()
    assert push_image(registry, "b", b"new").digest in mark(driver, memory=Memory(driver, trust=True))
    assert {path for path in read if path.startswith(f"{paths.REPOSITORIES}/a/")} == (
        {path for path in links if path.startswith(f"{paths.REPOSITORIES}/a/")}
    )


def test_a_link_made_within_one_tick_of_the_clock_is_seen(
    driver: StorageDriver, registry: StorageRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also on a file system that keeps whole seconds."""
    state = listing._state
    monkeypatch.setattr(listing, "_state", lambda path: (*state(path)[:2], state(path)[2] // 10**9 * 10**9))
    for number in range(20):
        new = push_image(registry, "a", b"%d" % number)
        assert new.digest in mark(driver, memory=Memory(driver, save=True, trust=True))


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
def test_a_link_is_seen_in_a_folder_that_was_empty(
    driver: StorageDriver, registry: StorageRegistry, images: list[Document], algorithm: str
) -> None:
    """As the folders are that deleted links leave behind."""
    above = f"{paths.revisions('a')}/{algorithm}"
    driver.put_content(f"{above}/left/file", b"")
    driver.delete(f"{above}/left")
    assert len(marked(driver, save=True)) == 5
    only_in_b = f"{above}/{'0' * 64}/link"
    driver.delete(paths.revision("b", images[1].digest))
    driver.put_content(only_in_b, images[1].digest.encode())
    assert images[1].digest in mark(driver, memory=Memory(driver, trust=True))


@pytest.mark.usefixtures("settled")
def test_a_link_changed_in_place_is_seen_without_trust(
    driver: StorageDriver, registry: StorageRegistry, images: list[Document]
) -> None:
    """The folder's time hides it from a run that deletes nothing; in a list of objects it has another MD5."""
    marked(driver, save=True)
    registry.delete_manifest("b", images[1].digest)
    driver.put_content(paths.link(paths.revision("a", images[0].digest)), images[1].digest.encode())
    assert (images[1].digest in mark(driver, memory=Memory(driver, trust=True))) is not (
        driver.name == "filesystem"
    )
    assert images[1].digest in mark(driver, memory=Memory(driver))


def test_digests_of_other_algorithms_are_not_remembered(
    driver: StorageDriver, registry: StorageRegistry, read: list[str]
) -> None:
    document = image(LAYERS[0], algorithm="sha512")
    push_image(registry, "a", LAYERS[0])
    push(registry, "a", document)
    push(registry, "a", index(document))
    for _ in range(2):
        read.clear()
        assert document.digest in mark(driver, memory=Memory(driver, save=True, trust=True))
    assert paths.blob_data(document.digest) in read


class _Killed(BaseException):
    pass


@pytest.mark.usefixtures("settled")
def test_a_run_that_is_killed_leaves_memory_that_can_be_used(
    driver: StorageDriver, registry: StorageRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(8):
        push_image(registry, f"r{number}", LAYERS[number % 2])
    put, left = driver.put_content, 0

    def killed(path: str, content: bytes, *, durable: bool = True) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise _Killed
        put(path, content, durable=durable)

    monkeypatch.setattr(driver, "put_content", killed)
    for puts in range(5):
        left = puts
        with pytest.raises(_Killed):
            mark(driver, memory=Memory(driver, save=True, trust=True))
        left = 100
        assert len(marked(driver, trust=True)) == 5
        if driver.exists(paths.MARKS):
            driver.delete(paths.MARKS)


def test_a_digest_written_with_escapes_is_a_reference(
    driver: StorageDriver, registry: StorageRegistry
) -> None:
    document = push_image(registry, "a", LAYERS[0])
    content = document.content.replace(b"sha256:", b"\\u0073ha256:").replace(b"mediaType", b"media\\u0054ype")
    escaped = document._replace(content=content, digest=Digest.of(content))
    push(registry, "b", escaped)
    registry.delete_manifest("a", document.digest)
    found = mark(driver)
    assert escaped.digest in found
    assert Digest.of(LAYERS[0]) in found


def unmarked(driver: StorageDriver, *, apply: bool = False) -> set[Digest]:
    """What a run finds to be garbage, all of which is young."""
    steps = list(collect(driver, apply=apply))
    assert {step.action for step in steps} <= {"keep"}
    return {step.digest for step in steps}


@pytest.fixture
def listed(driver: StorageDriver, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The folders of blobs, as they are listed."""
    found: list[str] = []
    inner = driver.list

    def recorded(path: str) -> list[str]:
        if path.startswith(f"{paths.BLOBS}/sha256/"):
            found.append(path)
        return inner(path)

    monkeypatch.setattr(driver, "list", recorded)
    return found


@pytest.mark.usefixtures("settled")
def test_a_folder_of_blobs_that_did_not_change_is_not_listed_again(
    driver: StorageDriver, registry: StorageRegistry, images: list[Document], listed: list[str]
) -> None:
    garbage = registry.push_blob("a", Digest.of(b"x"), io.BytesIO(b"x")).digest
    assert unmarked(driver, apply=True) == {garbage}
    listed.clear()
    for apply in False, True, False:
        assert unmarked(driver, apply=apply) == {garbage}
    assert driver.name != "filesystem" or listed == []
    other = registry.push_blob("a", Digest.of(b"y"), io.BytesIO(b"y")).digest
    assert unmarked(driver) == {garbage, other}
    registry.delete_manifest("b", images[1].digest)
    lost = {images[1].digest, Digest.of(LAYERS[1])}
    for apply in False, True, False:
        assert unmarked(driver, apply=apply) == {garbage, other, *lost}
    driver.delete(paths.repository("a"))
    driver.delete(paths.repository("b"))
    push_image(registry, "c", b"x")
    for apply in False, True, False:
        assert unmarked(driver, apply=apply) == {
            *(images[0].digest, Digest.of(LAYERS[0]), other),
            *lost,
        }


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("memory", ["shards", "folders"])
def test_what_another_run_has_noted_of_repositories_alone_hides_no_garbage(
    driver: StorageDriver, registry: StorageRegistry, images: list[Document], memory: str
) -> None:
    """As one that was killed before it came to the blobs, or whose folders are from another store."""
    assert unmarked(driver, apply=True) == set()
    registry.delete_manifest("b", images[1].digest)
    if memory == "shards":
        mark(driver, memory=Memory(driver, save=True, trust=True))
    elif driver.exists(f"{paths.MARKS}/blobs"):
        driver.put_content(f"{paths.MARKS}/blobs", b'["", 0, {}]')
    assert unmarked(driver) == {images[1].digest, Digest.of(LAYERS[1])}
