"""Files on an object store in memory: the suite of all drivers, and what several drivers on one store see."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from tests.drivers.memory_store import MemoryObjects, MemoryStore
from udist_plugin.drivers import growing
from udist_plugin.errors import BlobUploadInvalid, BlobUploadUnknown, PathBusy, PathNotFound
from udist_plugin.oci.digest import Digest
from udist_plugin.storage.registry import StorageRegistry
from udist_plugin.testing.storage_driver import StorageDriverSuite

if TYPE_CHECKING:
    from udist_plugin.drivers.base import StorageDriver
    from udist_plugin.drivers.objects.store import StoredObject


class TestObjectDriver(StorageDriverSuite):
    @pytest.fixture(params=["", "some/root/"])
    def driver(self, request: pytest.FixtureRequest) -> StorageDriver:
        return MemoryObjects(prefix=request.param)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def keys(store: MemoryStore) -> list[str]:
    return [each.key for each in store.objects("")]


def test_keys_are_paths_below_the_root(store: MemoryStore) -> None:
    MemoryObjects(store).put_content("/a/b", b"x")
    MemoryObjects(store, "some/root/").put_content("/a/b", b"x")
    assert keys(store) == ["a/b", "some/root/a/b"]


def test_another_driver_goes_on_where_one_left_off(store: MemoryStore) -> None:
    for number in range(3):
        with MemoryObjects(store).writer("/data", append=True) as writer:
            assert writer.size == 2 * number
            writer.write(b"%02d" % number)
    with MemoryObjects(store).writer("/data", append=True) as writer:
        writer.commit("/blob")
    assert keys(store) == ["blob"]
    assert MemoryObjects(store).get_content("/blob") == b"000102"


def test_of_two_drivers_one_writes_at_an_offset(store: MemoryStore) -> None:
    first = MemoryObjects(store).writer("/data", append=True)
    second = MemoryObjects(store).writer("/data", append=True)
    first.write(b"first")
    second.write(b"second")
    first.close()
    with pytest.raises(PathBusy):
        second.close()
    assert second.size == 0
    with MemoryObjects(store).appended("/data") as content:
        assert content.read() == b"first"


def test_a_join_takes_no_segment_that_another_made(store: MemoryStore) -> None:
    driver = MemoryObjects(store)
    with driver.writer("/data", append=True) as writer:
        writer.write(b"hashed")
    with driver.writer("/data", append=True) as writer:
        store.put(keys(store)[0], b"others")
        with pytest.raises(PathNotFound):
            writer.commit("/blob")
    assert not driver.exists("/blob")


def test_what_comes_after_a_gap_is_not_part_of_a_file(store: MemoryStore) -> None:
    driver = MemoryObjects(store)
    for part in (b"one", b"two", b"three"):
        with driver.writer("/data", append=True) as writer:
            writer.write(part)
    store.delete([keys(store)[1]])
    with driver.appended("/data") as content:
        assert content.read() == b"one"


def test_a_write_that_fails_leaves_what_stood(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    driver = MemoryObjects(store)
    with driver.writer("/data", append=True) as writer:
        writer.write(b"stands")

    def fail(*_: object, **__: object) -> None:
        raise PathBusy("full")

    writer = driver.writer("/data", append=True)
    writer.write(b"lost")
    with monkeypatch.context() as patch:
        patch.setattr(store, "store", fail)
        with pytest.raises(PathBusy):
            writer.close()
    assert writer.size == 6
    with driver.writer("/data", append=True) as writer:
        assert writer.size == 6


@pytest.mark.parametrize("mark", ["", "theirs"])
def test_a_segment_of_another_that_is_said_to_be_one_s_own_is_not(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch, mark: str
) -> None:
    """It is of the same size, so only its mark tells."""
    make = store.store
    monkeypatch.setattr(store, "store", lambda key, *_: make(key, b"other", mark))
    writer = MemoryObjects(store).writer("/data", append=True)
    writer.write(b"mine!")
    with pytest.raises(PathBusy, match="/data: another writer was first"):
        writer.close()
    assert writer.size == 0


def test_a_segment_that_is_said_to_be_made_and_is_not_there_is_not(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "store", lambda *_: None)
    writer = MemoryObjects(store).writer("/data", append=True)
    writer.write(b"mine!")
    with pytest.raises(PathBusy):
        writer.close()
    assert writer.size == 0


def test_a_segment_that_is_refused_because_it_was_made_before_is_one_s_own(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = store.store

    def twice(key: str, content: bytes, mark: str) -> None:
        make(key, content, mark)
        make(key, content, mark)

    monkeypatch.setattr(store, "store", twice)
    with MemoryObjects(store).writer("/data", append=True) as writer:
        writer.write(b"mine!")
    assert writer.size == 5


def test_a_writer_that_does_not_let_go_is_named(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growing, "LOCK_WAIT", 0.0)
    driver = MemoryObjects(store)
    with driver.writer("/data", append=True), pytest.raises(PathBusy, match="/data"):
        driver.writer("/data", append=True)
    driver.writer("/data", append=True).close()


def test_an_upload_goes_on_in_another_registry(store: MemoryStore) -> None:
    first, second = (StorageRegistry(MemoryObjects(store)) for _ in range(2))
    upload = first.start_upload("a")
    upload.write(io.BytesIO(b"12"))
    upload.close()
    upload = second.resume_upload("a", upload.id)
    assert upload.offset == 2
    upload.write(io.BytesIO(b"34"))
    upload.close()
    upload = first.resume_upload("a", upload.id)
    digest = Digest.of(b"1234")
    assert upload.commit(digest).size == 4
    with second.open_blob("a", digest) as content:
        assert content.read() == b"1234"
    with pytest.raises(BlobUploadUnknown):
        second.resume_upload("a", upload.id)
    assert not [key for key in keys(store) if "_uploads" in key]


def test_a_hash_does_not_vouch_for_what_another_registry_wrote(store: MemoryStore) -> None:
    first, second = (StorageRegistry(MemoryObjects(store)) for _ in range(2))
    upload = first.start_upload("a")
    one, other = first.resume_upload("a", upload.id), second.resume_upload("a", upload.id)

    class Interrupted(io.BytesIO):
        """While it is read, the other registry writes."""

        def read(self, size: int | None = -1, /) -> bytes:
            if data := super().read(size):
                other.write(io.BytesIO(b"theirs"))
            return data

    with pytest.raises(BlobUploadInvalid):
        one.write(Interrupted(b"mine!!"))
    one.close()
    again = first.resume_upload("a", upload.id)
    assert again.offset == 6
    assert again.commit(Digest.of(b"theirs")).size == 6


def test_a_tag_list_is_one_grouped_listing(store: MemoryStore) -> None:
    driver = MemoryObjects(store)
    registry = StorageRegistry(driver)
    for number in range(50):
        driver.put_content(
            f"/docker/registry/v2/repositories/a/_manifests/tags/v{number:02}/current/link", b""
        )
    store.requests.clear()
    assert len(registry.list_tags("a").items) == 50
    assert registry.list_tags("a", 2, "v10").items == ["v11", "v12"]
    assert [request.split()[0] for request in store.requests] == ["names", "names"]


def test_a_file_that_is_replaced_while_it_is_moved_stays(store: MemoryStore) -> None:
    driver = MemoryObjects(store)
    driver.put_content("/a", b"bad")
    assert not driver.move_if("/a", "/b", lambda: False)
    assert keys(store) == ["a", "b"]

    def replaced() -> bool:
        driver.put_content("/a", b"good")
        return True

    assert not driver.move_if("/a", "/b", replaced)
    assert (driver.get_content("/a"), driver.get_content("/b")) == (b"good", b"bad")
    assert driver.move_if("/a", "/b", lambda: True)
    assert keys(store) == ["b"]


def test_whether_a_store_compares_is_tried(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    driver = MemoryObjects(store)
    assert driver.compares("/scratch")

    def delete_any(found: StoredObject) -> bool:
        store.delete([found.key])
        return True

    monkeypatch.setattr(store, "delete_version", delete_any)
    assert not driver.compares("/scratch")
    assert keys(store) == []
