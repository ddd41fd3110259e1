"""Damage in a store, and what becomes of it."""

from __future__ import annotations

import io
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from tests.drivers.memory_store import MemoryObjects
from tests.storage.samples import Document, image, index, push, push_image
from tests.storage.stock import collect_garbage, serving
from tests.storage.test_collection_interop import FIRST, GONE, KEPT, OUTER, SIGNATURE, STOCK, TWO, check, fill
from udist_plugin.drivers.filesystem.driver import FilesystemDriver
from udist_plugin.errors import BlobUnknown, ManifestUnknown, StorageError
from udist_plugin.oci.digest import Digest
from udist_plugin.storage import paths
from udist_plugin.storage.collection.collect import collect
from udist_plugin.storage.registry import StorageRegistry
from udist_plugin.storage.scrubbing.scrub import Position, Repair, scrub

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from udist_plugin.drivers.base import StorageDriver
    from udist_plugin.storage.scrubbing.damage import Damage

LAYER, OTHER = b"layer", b"other"
ALL = Repair(links=True, blobs=True)
LINKS = Repair(links=True)
MISSING = Digest.of(b"missing")


@pytest.fixture
def registry(driver: StorageDriver) -> StorageRegistry:
    return StorageRegistry(driver)


@pytest.fixture
def pushed(registry: StorageRegistry) -> Document:
    """An image in the repository ``a``, tagged ``v1``."""
    return push_image(registry, "a", LAYER, tags=["v1"])


def kinds(found: list[Damage]) -> list[tuple[str, bool]]:
    return [(damage.kind, damage.repaired) for damage in found]


def manifest_link(document: Document, name: str = "a") -> str:
    return paths.link(paths.revision(name, document.digest))


def layer_link(blob: bytes, name: str = "a") -> str:
    return paths.link(paths.layer(name, Digest.of(blob)))


def test_a_whole_store(driver: StorageDriver, registry: StorageRegistry, pushed: Document) -> None:
    push(registry, "a", pushed, "v2")
    push_image(registry, "a/b", LAYER, OTHER)
    push(registry, "a", index(pushed, subject=pushed), "multi")
    push(registry, "a", image(LAYER, algorithm="sha512"))
    registry.start_upload("a")
    registry.list_referrers("a", pushed.digest)
    read: list[int] = []
    assert not list(scrub(driver, repair=ALL, read=read.append))
    assert sum(read) > len(LAYER) + len(pushed.content)


def test_a_damaged_layer(driver: StorageDriver, registry: StorageRegistry, pushed: Document) -> None:
    """It is moved only if that is asked for. Then whoever has it pushes it again, and all is well."""
    path = paths.blob_data(Digest.of(LAYER))
    driver.put_content(path, b"lay-r")
    found = list(scrub(driver, repair=LINKS))
    assert [(each.kind, each.path, each.repaired) for each in found] == [
        ("blob", path, False),
        ("manifest", manifest_link(pushed), False),
    ]
    assert Digest.of(LAYER) in found[1].problem
    assert driver.get_content(path) == b"lay-r"
    assert kinds(list(scrub(driver, repair=ALL))) == [("blob", True), ("layer", True), ("manifest", False)]
    assert driver.get_content(paths.damaged(Digest.of(LAYER))) == b"lay-r"
    with pytest.raises(BlobUnknown):
        registry.resolve_blob("a", Digest.of(LAYER))
    registry.push_blob("a", Digest.of(LAYER), io.BytesIO(LAYER))
    assert not list(scrub(driver))


def test_a_damaged_manifest(driver: StorageDriver, registry: StorageRegistry, pushed: Document) -> None:
    driver.put_content(paths.blob_data(pushed.digest), pushed.content.replace(b"layers", b"layerz"))
    assert kinds(list(scrub(driver))) == [("blob", False), ("manifest", False)]
    assert kinds(list(scrub(driver, repair=ALL)))[-2:] == [("manifest", True), ("tag", True)]
    with pytest.raises(ManifestUnknown):
        registry.get_manifest("a", "v1")
    assert not list(scrub(driver))
    list(collect(driver))


def test_dangling_links(driver: StorageDriver, registry: StorageRegistry, pushed: Document) -> None:
    """The collector stops at one of a manifest, and goes on once it is gone."""
    push(registry, "a", index(), "kept")
    driver.delete(paths.blob_data(pushed.digest))
    driver.put_content(layer_link(OTHER), Digest.of(OTHER).encode())
    with pytest.raises(StorageError, match="is missing"):
        list(collect(driver))
    shown = list(scrub(driver))
    assert {each.path for each in shown} >= {layer_link(OTHER), manifest_link(pushed)}
    assert [each.kind for each in shown][-2:] == ["manifest", "tag"]
    assert {each.repaired for each in shown} == {False}
    assert [each.path for each in shown if each.harmless] == [layer_link(OTHER)]
    assert {each.repaired for each in scrub(driver, repair=LINKS)} == {True}
    assert not list(scrub(driver))
    list(collect(driver))
    assert registry.list_tags("a").items == ["kept"]
    assert registry.resolve_blob("a", Digest.of(LAYER)).size == len(LAYER)


@pytest.mark.parametrize("content", [b"", b"sha256:", MISSING.encode()])
def test_a_link_with_other_content_is_written_again(
    driver: StorageDriver, registry: StorageRegistry, pushed: Document, content: bytes
) -> None:
    for path in manifest_link(pushed), layer_link(LAYER):
        driver.put_content(path, content)
    assert {each.path for each in scrub(driver)} >= {manifest_link(pushed), layer_link(LAYER)}
    list(scrub(driver, repair=LINKS))
    assert not list(scrub(driver))
    assert registry.get_manifest("a", "v1").content == pushed.content
    assert registry.resolve_blob("a", Digest.of(LAYER)).size == len(LAYER)


def test_what_a_manifest_lacks(driver: StorageDriver, registry: StorageRegistry, pushed: Document) -> None:
    push(registry, "a", outer := index(pushed, index()), "multi")
    driver.delete(layer_link(LAYER))
    found = {each.path: each.problem for each in scrub(driver, repair=ALL)}
    assert found == {
        manifest_link(pushed): f"{Digest.of(LAYER)} is not linked in this repository",
        manifest_link(outer): f"{index().digest} is missing",
    }
    assert [each.path for each in scrub(driver, sparse=True)] == [manifest_link(pushed)]


def test_incomplete_tags(
    driver: StorageDriver, registry: StorageRegistry, pushed: Document, monkeypatch: Monkey
) -> None:
    """One that is younger than an hour may be one that is being made."""
    driver.put_content(paths.tag_index("a", "half", pushed.digest), pushed.digest.encode())
    driver.put_content(paths.tag_current("a", "empty"), b"")
    driver.put_content(paths.tag_current("a", "lost"), MISSING.encode())
    assert [each.path for each in scrub(driver)] == [
        paths.tag_current("a", "empty"),
        paths.tag_current("a", "lost"),
    ]
    later(monkeypatch)
    assert kinds(list(scrub(driver, repair=LINKS))) == [("tag", True)] * 3
    assert not list(scrub(driver))
    assert driver.list(paths.tags("a")) == ["v1"]
    assert registry.list_tags("a").items == ["v1"]


def test_half_uploads(
    driver: StorageDriver, registry: StorageRegistry, pushed: Document, monkeypatch: Monkey
) -> None:
    whole, half = registry.start_upload("a"), registry.start_upload("a")
    driver.put_content(f"{paths.upload('a', half.id)}/data", b"half")
    driver.delete(f"{paths.upload('a', half.id)}/startedat")
    assert not list(scrub(driver))
    later(monkeypatch)
    (upload,) = scrub(driver, repair=LINKS)
    assert (upload.kind, upload.harmless, upload.repaired) == ("upload", True, True)
    assert driver.list(paths.uploads("a")) == [whole.id]


def test_a_wrong_index_of_referrers(
    driver: StorageDriver, registry: StorageRegistry, pushed: Document
) -> None:
    push(registry, "a", signature := image(LAYER, subject=pushed))
    driver.put_content(paths.subjects("a"), f"{signature.digest} {MISSING}\n{pushed.digest}\n".encode())
    assert registry.list_referrers("a", pushed.digest).items == []
    assert kinds(list(scrub(driver, repair=LINKS))) == [("index", True)]
    (found,) = StorageRegistry(driver).list_referrers("a", pushed.digest).items
    assert found.digest == signature.digest
    assert not list(scrub(driver))


def test_what_is_in_quarantine_is_not_missing(driver: StorageDriver, pushed: Document) -> None:
    run = "0123456789abcdef"
    for digest in pushed.digest, Digest.of(LAYER):
        driver.move(paths.blob_data(digest), paths.quarantined(run, digest))
    assert not list(scrub(driver, repair=ALL))
    driver.put_content(paths.quarantined(run, Digest.of(LAYER)), b"lay-r")
    assert kinds(list(scrub(driver, repair=ALL))) == [("blob", False), ("manifest", False)]


def test_a_store_whose_blobs_are_not_mounted(driver: StorageDriver, pushed: Document) -> None:
    driver.delete(paths.BLOBS)
    with pytest.raises(StorageError, match="mount it"):
        list(scrub(driver, repair=ALL))
    assert driver.exists(manifest_link(pushed))


def test_what_is_pushed_while_it_is_repaired_stays(
    driver: StorageDriver, registry: StorageRegistry, pushed: Document, monkeypatch: Monkey
) -> None:
    """Whatever is deleted was pushed again a moment before."""
    driver.delete(paths.blob_data(Digest.of(LAYER)))
    driver.delete(manifest_link(pushed))
    delete, delete_if = driver.delete, driver.delete_if
    other = StorageRegistry(driver)

    def pushed_before(verb: Callable[..., object]) -> Callable[..., object]:
        def deleted(*arguments: object, **options: object) -> object:
            monkeypatch.undo()
            push_image(other, "a", LAYER, tags=["v1"])
            return verb(*arguments, **options)

        return deleted

    monkeypatch.setattr(driver, "delete", pushed_before(delete))
    assert ("layer", False) in kinds(list(scrub(driver, repair=LINKS)))
    assert registry.resolve_blob("a", Digest.of(LAYER)).size == len(LAYER)
    driver.delete(manifest_link(pushed))
    monkeypatch.setattr(driver, "delete_if", pushed_before(delete_if))
    assert kinds(list(scrub(driver, repair=LINKS))) == [("tag", False)]
    assert registry.get_manifest("a", "v1").content == pushed.content
    assert not list(scrub(driver))


def test_a_blob_that_is_pushed_while_it_is_moved_aside_stays(
    driver: StorageDriver, registry: StorageRegistry, pushed: Document, monkeypatch: Monkey
) -> None:
    path = paths.blob_data(Digest.of(LAYER))
    driver.put_content(path, b"lay-r")
    verb = "move" if driver.has_folders else "move_if"
    original = getattr(driver, verb)

    def moved(*arguments: object) -> object:
        monkeypatch.undo()
        driver.put_content(path, LAYER)
        return original(*arguments)

    monkeypatch.setattr(driver, verb, moved)
    assert kinds(list(scrub(driver, repair=ALL)))[0] == ("blob", False)
    assert driver.get_content(path) == LAYER
    assert not driver.exists(paths.damaged(Digest.of(LAYER)))
    assert not list(scrub(driver))


def test_a_bucket_that_does_not_compare_keeps_its_blobs_where_they_are(
    monkeypatch: Monkey,
) -> None:
    """The other damage is repaired all the same, when that alone is asked for."""
    driver = MemoryObjects()
    push_image(StorageRegistry(driver), "a", LAYER)
    path = paths.blob_data(Digest.of(LAYER))
    driver.put_content(path, b"lay-r")
    monkeypatch.setattr(driver, "compares", lambda folder: False)
    with pytest.raises(StorageError, match="--aside"):
        list(scrub(driver, repair=ALL))
    assert driver.get_content(path) == b"lay-r"
    assert kinds(list(scrub(driver, repair=LINKS)))[0] == ("blob", False)


def test_a_killed_repair_is_finished(
    driver: StorageDriver, registry: StorageRegistry, pushed: Document
) -> None:
    """It had moved a blob that was good again."""
    driver.move(paths.blob_data(Digest.of(LAYER)), paths.damaged(Digest.of(LAYER)))
    assert not list(scrub(driver, repair=ALL))
    assert registry.resolve_blob("a", Digest.of(LAYER)).size == len(LAYER)


def test_a_run_goes_on_where_another_ended(driver: StorageDriver, registry: StorageRegistry) -> None:
    blobs = [b"%d" % number for number in range(20)]
    for number, blob in enumerate(blobs):
        push_image(registry, f"r/{number:02}", blob)
    for blob in blobs[::3]:
        driver.put_content(paths.blob_data(Digest.of(blob)), b"!")
    whole = list(scrub(driver))
    assert len(whole) == 2 * len(blobs[::3])
    for stop in range(1, len(whole)):
        position, known = interrupted(driver, stop)
        assert known + list(scrub(driver, after=position, known=known)) == whole


def test_memory_does_not_grow_with_the_store(tmp_path: Path) -> None:
    driver = FilesystemDriver(str(tmp_path), paths.SCRATCH)
    registry = StorageRegistry(driver)
    peaks = []
    for number in range(2, 602):
        push_image(registry, "a", b"%d" % number)
        if number in (301, 601):
            tracemalloc.start()
            assert not list(scrub(driver))
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    assert peaks[1] < peaks[0] + 400_000, "600 bytes for each of 300 images and their blobs, names included"


@pytest.mark.parametrize("program", STOCK)
def test_a_store_that_a_stock_server_made(program: str, tmp_path: Path) -> None:
    """Damaged as a crash and a bad disk do it, and repaired while the server runs. What was whole is."""
    root, config = tmp_path / "root", tmp_path / "config.yml"
    driver = FilesystemDriver(str(root), paths.SCRATCH)
    with serving(root, config, program) as stock:
        fill(stock)
        stock.push_manifest("team/app", GONE, "gone")
        stock.push_blob("other", Digest.of(TWO), TWO)
        stock.push_manifest("other", index(), "v1")
        assert not list(scrub(driver, repair=ALL))
        (root / paths.blob_data(GONE.digest)[1:]).write_bytes(b"{}")
        (root / paths.tag_current("team/app", "torn")[1:]).parent.mkdir(parents=True)
        (root / paths.tag_current("team/app", "torn")[1:]).write_bytes(b"")
        (root / paths.link(paths.revision("team/app", FIRST.digest))[1:]).write_bytes(b"")
        (root / layer_link(TWO, "team/app")[1:]).write_bytes(b"sha256:")
        (root / paths.blob_data(index().digest)[1:]).unlink()
        found = list(scrub(driver))
        assert {each.kind for each in found} == {"blob", "layer", "manifest", "tag"}
        list(scrub(driver, repair=ALL))
        assert not list(scrub(driver))
        assert stock.tags("team/app") == ["multi", "v1"]
        check(stock, "team/app", {**KEPT, SIGNATURE.digest: SIGNATURE, OUTER.digest: OUTER})
        stock.push_manifest("team/app", GONE, "gone")
        stock.push_manifest("other", index(), "v1")
    collect_garbage(root, config, program=program)
    assert all(each.harmless for each in scrub(driver))
    with serving(root, config, program) as stock:
        check(stock, "team/app", KEPT)


def interrupted(driver: StorageDriver, stop: int) -> tuple[Position, list[Damage]]:
    """The last position of a run that ended as it had found so much, and what it had found until then."""
    found: list[Damage] = []
    reached = [(Position(), 0)]
    for damage in scrub(driver, reached=lambda position: reached.append((position, len(found)))):
        found.append(damage)
        if len(found) == stop:
            break
    position, count = reached[-1]
    return position, found[:count]


def later(monkeypatch: Monkey) -> None:
    """It is two hours later."""
    import time

    now = time.time() + 7200
    monkeypatch.setattr(time, "time", lambda: now)


Monkey = pytest.MonkeyPatch
