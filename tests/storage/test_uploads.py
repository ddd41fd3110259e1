"""Upload sessions: they go on anywhere, and what they end in is what was asked for."""

from __future__ import annotations

import io
import re
import threading
import uuid
from typing import TYPE_CHECKING

import pytest

from tests.storage.samples import read_blob
from udist_plugin.content import BytesChunk
from udist_plugin.drivers.filesystem import calls, holding, writers
from udist_plugin.drivers.filesystem.driver import FilesystemDriver
from udist_plugin.errors import (
    BlobUnknown,
    BlobUploadInvalid,
    BlobUploadUnknown,
    DigestInvalid,
    RangeInvalid,
    StorageFull,
)
from udist_plugin.oci.digest import Digest
from udist_plugin.storage import paths, pump
from udist_plugin.storage.pump import Helper, RunningHash
from udist_plugin.storage.registry import StorageRegistry

if TYPE_CHECKING:
    import os
    from collections.abc import Callable
    from pathlib import Path

    from udist_plugin.content import Chunk
    from udist_plugin.drivers.base import FileWriter, StorageDriver

BLOB = bytes(range(256)) * 10000
DIGEST = Digest.of(BLOB)


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_an_upload_becomes_a_blob(registry: StorageRegistry, driver: StorageDriver, algorithm: str) -> None:
    digest = Digest.of(BLOB, algorithm)
    upload = registry.start_upload("a/b", algorithm)
    assert upload.offset == 0
    assert upload.write(io.BytesIO(BLOB)) == upload.offset == len(BLOB)
    descriptor = upload.commit(digest)
    assert (descriptor.digest, descriptor.size) == (digest, len(BLOB))
    assert read_blob(registry, "a/b", digest) == BLOB
    assert not driver.exists(f"{paths.uploads('a/b')}/{upload.id}")


def test_an_empty_upload_becomes_an_empty_blob(registry: StorageRegistry) -> None:
    digest = Digest.of(b"")
    registry.start_upload("a").commit(digest)
    assert read_blob(registry, "a", digest) == b""


@pytest.mark.parametrize("close", [True, False], ids=["closed", "crashed"])
@pytest.mark.parametrize("same_process", [True, False])
def test_an_upload_goes_on_elsewhere(driver: StorageDriver, close: bool, same_process: bool) -> None:
    registry = StorageRegistry(driver)
    upload = registry.start_upload("a")
    upload_id = upload.id
    for start in range(0, len(BLOB), 700_000):
        assert upload.offset == start
        upload.write(io.BytesIO(BLOB[start : start + 700_000]))
        if close:
            upload.close()
        if not same_process:
            registry = StorageRegistry(driver)
        upload = registry.resume_upload("a", upload_id)
    upload.commit(DIGEST)
    assert read_blob(registry, "a", DIGEST) == BLOB


def test_bytes_are_not_read_again_without_need(
    registry: StorageRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = registry.start_upload("a")
    upload.write(io.BytesIO(BLOB[:1000]))
    upload.close()
    upload = registry.resume_upload("a", upload.id)
    upload.write(io.BytesIO(BLOB[1000:]))

    def reader(path: str, start: int = 0, end: int | None = None) -> object:
        raise AssertionError(f"{path} was read")

    monkeypatch.setattr(registry.driver, "reader", reader)
    assert upload.commit(DIGEST).size == len(BLOB)


def test_an_upload_may_end_in_another_algorithm(registry: StorageRegistry) -> None:
    upload = registry.start_upload("a", "sha256")
    upload.write(io.BytesIO(BLOB))
    upload.commit(Digest.of(BLOB, "sha512"))
    assert read_blob(registry, "a", Digest.of(BLOB, "sha512")) == BLOB


def test_an_unknown_algorithm_is_refused(registry: StorageRegistry, driver: StorageDriver) -> None:
    with pytest.raises(DigestInvalid):
        registry.start_upload("a", "md5")
    assert not driver.exists(paths.REPOSITORIES)


def test_a_wrong_digest_ends_the_session(registry: StorageRegistry, driver: StorageDriver) -> None:
    upload = registry.start_upload("a")
    upload.write(io.BytesIO(b"other"))
    with pytest.raises(DigestInvalid):
        upload.commit(DIGEST)
    with pytest.raises(BlobUploadUnknown):
        registry.resume_upload("a", upload.id)
    with pytest.raises(BlobUnknown):
        registry.resolve_blob("a", DIGEST)
    assert not driver.exists(paths.BLOBS)


def test_a_session_ends_once(registry: StorageRegistry) -> None:
    upload = registry.start_upload("a")
    upload.write(io.BytesIO(BLOB))
    twin = registry.resume_upload("a", upload.id)
    upload.commit(DIGEST)
    with pytest.raises(BlobUploadUnknown):
        twin.commit(DIGEST)
    with pytest.raises(BlobUploadUnknown):
        twin.write(io.BytesIO(b"more"))
    with pytest.raises(BlobUploadUnknown):
        twin.cancel()
    with pytest.raises(BlobUploadUnknown):
        registry.resume_upload("a", upload.id)
    assert read_blob(registry, "a", DIGEST) == BLOB


def test_a_cancelled_upload_is_unknown(registry: StorageRegistry, driver: StorageDriver) -> None:
    upload = registry.start_upload("a")
    upload.write(io.BytesIO(BLOB))
    upload.cancel()
    with pytest.raises(BlobUploadUnknown):
        registry.resume_upload("a", upload.id)
    assert not (driver.exists(paths.uploads("a")) and driver.list(paths.uploads("a")))


def test_a_session_left_behind_by_another_is_refused(registry: StorageRegistry) -> None:
    upload = registry.start_upload("a")
    twin = registry.resume_upload("a", upload.id)
    upload.write(io.BytesIO(BLOB[:100]))
    with pytest.raises(RangeInvalid, match="100"):
        twin.write(io.BytesIO(b"other"))
    upload.write(io.BytesIO(BLOB[100:]))
    assert upload.commit(DIGEST).size == len(BLOB)


def test_two_writers_of_one_upload_do_not_mix(
    registry: StorageRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One holds the file while it waits for content; the other is refused, whatever process it is in."""
    monkeypatch.setattr(calls, "LOCK_WAIT", 0.0)
    monkeypatch.setattr("udist_plugin.drivers.inmemory.LOCK_WAIT", 0.0)
    monkeypatch.setattr("udist_plugin.drivers.growing.LOCK_WAIT", 0.0)
    upload = registry.start_upload("a")
    twin = StorageRegistry(registry.driver).resume_upload("a", upload.id)
    errors: list[BaseException] = []

    class Source:
        """Content that comes only after the other has tried."""

        left = BLOB

        def read(self, size: int = -1, /) -> bytes:
            for verb in (lambda: twin.write(io.BytesIO(b"other")), lambda: twin.commit(Digest.of(b""))):
                try:
                    verb()
                except BlobUploadInvalid as error:
                    errors.append(error)
            data, self.left = self.left[:1_000_000], self.left[1_000_000:]
            return data

    upload.write(Source())
    assert len(errors) == 2 * 4
    assert upload.commit(DIGEST).size == len(BLOB)
    assert read_blob(registry, "a", DIGEST) == BLOB


def test_a_writer_cannot_reach_a_committed_blob(tmp_path: Path) -> None:
    """A second process that waits for the file while the first commits must not write into the blob."""
    registry = StorageRegistry(FilesystemDriver(str(tmp_path), paths.SCRATCH))
    upload = registry.start_upload("a")
    upload.write(io.BytesIO(BLOB))
    twin = registry.resume_upload("a", upload.id)
    held = registry.driver.writer(f"{paths.upload('a', upload.id)}/data", append=True)
    outcome: list[object] = []
    started = threading.Event()

    def write() -> None:
        started.set()
        try:
            outcome.append(twin.write(io.BytesIO(b"poison")))
        except (BlobUploadUnknown, RangeInvalid) as error:
            outcome.append(error)

    thread = threading.Thread(target=write)
    thread.start()
    assert started.wait(10)
    held.commit(paths.blob_data(DIGEST))
    thread.join(10)
    assert isinstance(outcome[0], BlobUploadUnknown)
    assert registry.driver.get_content(paths.blob_data(DIGEST)) == BLOB


@pytest.mark.parametrize("reads_again", [True, False])
def test_an_upload_cancelled_while_it_is_committed_is_unknown(
    registry: StorageRegistry, monkeypatch: pytest.MonkeyPatch, reads_again: bool
) -> None:
    upload = registry.start_upload("a")
    upload.write(io.BytesIO(BLOB))
    twin = registry.resume_upload("a", upload.id)
    writer = registry.driver.writer

    def cancelling(path: str, *, append: bool = False) -> FileWriter:
        opened = writer(path, append=append)
        twin.cancel()
        return opened

    monkeypatch.setattr(registry.driver, "writer", cancelling)
    with pytest.raises(BlobUploadUnknown):
        upload.commit(Digest.of(BLOB, "sha512") if reads_again else DIGEST)
    with pytest.raises(BlobUnknown):
        registry.resolve_blob("a", DIGEST)


def test_an_upload_cancelled_while_it_is_opened_is_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = StorageRegistry(FilesystemDriver(str(tmp_path), paths.SCRATCH))
    upload = registry.start_upload("a")
    twin = registry.resume_upload("a", upload.id)

    def cancelling(path: str, status: os.stat_result) -> bool:
        found = holding.is_at(path, status)
        twin.cancel()
        return found

    monkeypatch.setattr(writers, "is_at", cancelling)
    with pytest.raises(BlobUploadUnknown):
        upload.write(io.BytesIO(BLOB))


class Breaking:
    """Content that ends with an error."""

    def __init__(self, *parts: bytes) -> None:
        self.parts = list(parts)

    def read(self, size: int = -1, /) -> bytes:
        if not self.parts:
            raise ConnectionResetError("cut")
        return self.parts.pop(0)


@pytest.mark.parametrize("parts", [[], [b"x" * 1000], [b"x" * 1000, b"y" * 1000, b"z" * 1000]])
def test_what_came_before_the_error_stays(registry: StorageRegistry, parts: list[bytes]) -> None:
    expected = b"".join(parts)
    upload = registry.start_upload("a")
    with pytest.raises(ConnectionResetError):
        upload.write(Breaking(*parts))
    assert upload.offset == len(expected)
    upload.close()
    upload = registry.resume_upload("a", upload.id)
    assert upload.offset == len(expected)
    upload.write(io.BytesIO(b"rest"))
    upload.commit(Digest.of(expected + b"rest"))
    assert read_blob(registry, "a", Digest.of(expected + b"rest")) == expected + b"rest"


def test_a_cut_push_leaves_nothing(registry: StorageRegistry, driver: StorageDriver) -> None:
    with pytest.raises(ConnectionResetError):
        registry.push_blob("a", DIGEST, Breaking(BLOB[:1000]))
    assert not driver.exists(paths.BLOBS)
    with pytest.raises(BlobUnknown):
        registry.resolve_blob("a", DIGEST)


@pytest.mark.parametrize(
    ("broken", "raised"),
    [(OSError(28, "No space left on device"), StorageFull), (KeyboardInterrupt(), KeyboardInterrupt)],
)
def test_a_chunk_written_in_part_is_hashed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: BaseException, raised: type[BaseException]
) -> None:
    registry = StorageRegistry(FilesystemDriver(str(tmp_path), paths.SCRATCH))
    upload = registry.start_upload("a")
    upload.write(io.BytesIO(BLOB[:1000]))
    write, made = calls.write, 0

    def short(descriptor: int, data: bytes | memoryview) -> int:
        nonlocal made
        made += 1
        if made > 1:
            raise broken
        return write(descriptor, data[:10])

    monkeypatch.setattr(calls, "write", short)
    with pytest.raises(raised):
        upload.write(io.BytesIO(BLOB[1000:]))
    monkeypatch.undo()
    assert upload.offset == 1010
    upload.write(io.BytesIO(BLOB[1010:]))
    assert upload.commit(DIGEST).size == len(BLOB)


class Lender:
    """A source that counts who still holds its chunks."""

    def __init__(self, count: int, fail_at: int = -1) -> None:
        self.left = count
        self.fail_at = fail_at
        self.lent: list[LentChunk] = []

    def read(self, size: int = -1, /) -> bytes:
        raise AssertionError("lends chunks")

    def next_chunk(self) -> Chunk | None:
        if len(self.lent) == self.fail_at:
            raise ConnectionResetError("cut")
        if not self.left:
            return None
        self.left -= 1
        self.lent.append(LentChunk(b"%07d" % self.left))
        return self.lent[-1]


class LentChunk(BytesChunk):
    __slots__ = ("released",)

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.released = 0

    def release(self) -> None:
        self.released += 1


@pytest.mark.parametrize("count", [0, 1, 2, 3, 50])
@pytest.mark.parametrize("failing", [None, "source", "write", "hash"])
def test_every_chunk_is_released_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int, failing: str | None
) -> None:
    registry = StorageRegistry(FilesystemDriver(str(tmp_path), paths.SCRATCH))
    upload = registry.start_upload("a")
    source = Lender(count, fail_at=count // 2 if failing == "source" else -1)
    threads = threading.active_count()
    made = 0

    def fail_later(*arguments: object) -> int:
        nonlocal made
        made += 1
        if made > count // 2:
            raise OSError(28, "No space left on device")
        return len(arguments[-1])  # type: ignore[arg-type]

    if failing == "write":
        monkeypatch.setattr(calls, "write", fail_later)
    if failing == "hash":
        monkeypatch.setattr("udist_plugin.storage.pump.RunningHash.update", fail_later)
    try:
        upload.write(source)
        failed = False
    except (OSError, StorageFull):
        failed = True
    assert failed == (failing is not None and (count > 0 or failing == "source"))
    assert [chunk.released for chunk in source.lent] == [1] * len(source.lent)
    assert threading.active_count() == threads


def test_another_thread_hashes_what_follows_the_first_chunk(
    registry: StorageRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[int] = []
    update = RunningHash.update

    def recorded(running: RunningHash, data: memoryview | bytes) -> None:
        threads.append(threading.get_ident())
        update(running, data)

    monkeypatch.setattr(RunningHash, "update", recorded)
    registry.start_upload("a").write(Lender(4))
    first, second, *rest = threads
    assert (first, rest) == (threading.get_ident(), [second] * 2)
    assert first != second


def test_an_upload_hashes_for_itself_while_all_processors_have_work(
    registry: StorageRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Busy(Lender):
        """While this content comes, another is brought in as a whole."""

        def next_chunk(self) -> Chunk | None:
            if not self.lent:
                registry.start_upload("b").write(Lender(4))
            return super().next_chunk()

    begun = 0
    start = Helper.__init__

    def counted(helper: Helper, consume: Callable[[memoryview], None]) -> None:
        nonlocal begun
        begun += 1
        start(helper, consume)

    monkeypatch.setattr(pump, "PROCESSORS", 2)
    monkeypatch.setattr(Helper, "__init__", counted)
    registry.start_upload("a").write(Busy(4))
    assert begun == 1, "the other upload has ended when the second chunk comes"
    registry.start_upload("a").write(Lender(4))
    assert begun == 2


@pytest.mark.parametrize(
    "upload_id",
    [
        "",
        ".",
        "..",
        "../../../../etc",
        "x",
        "00000000-0000-4000-8000-00000000000",
        "00000000-0000-4000-8000-0000000000000",
        "00000000-0000-4000-8000-00000000000A",
        "00000000-0000-4000-8000-000000000000\n",
        "00000000-0000-4000-8000-000000000000/../x",
        "00000000000040008000000000000000",
        "../_uploads/00000000-0000-4000-8000-000000000000",
        "\u06600000000-0000-4000-8000-000000000000",
        "0" * 100_000,
    ],
)
def test_upload_ids_never_leave_the_uploads(registry: StorageRegistry, upload_id: str) -> None:
    with pytest.raises(BlobUploadUnknown) as caught:
        registry.resume_upload("a", upload_id)
    assert caught.value.detail == {"uuid": upload_id[:64]}


def test_upload_ids_are_uuids_and_belong_to_one_repository(registry: StorageRegistry) -> None:
    upload = registry.start_upload("a")
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", upload.id)
    with pytest.raises(BlobUploadUnknown):
        registry.resume_upload("b", upload.id)


def test_the_name_of_an_upload_is_a_random_uuid(registry: StorageRegistry) -> None:
    names = {registry.start_upload("a").id for _ in range(64)}
    assert len(names) == 64
    for name in names:
        parsed = uuid.UUID(name)
        assert (str(parsed), parsed.version, parsed.variant) == (name, 4, uuid.RFC_4122)


def test_every_bit_of_that_uuid_that_may_be_is_random(
    registry: StorageRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = b"\x11\x22\x33\x44\x55\x66\xff\x88\xff\xaa\xbb\xcc\xdd\xee\x0f\x1e"
    monkeypatch.setattr("udist_plugin.storage.uploads.os.urandom", lambda size: value[:size])
    assert registry.start_upload("a").id == str(uuid.UUID(bytes=value, version=4))
