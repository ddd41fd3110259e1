"""What fsspec's file systems do wrong or leave out, and what the driver makes of it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, NoReturn
from uuid import uuid4

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from tests.drivers.sections import section
from udist_plugin.drivers import open_driver
from udist_plugin.drivers.fsspec import connections
from udist_plugin.errors import PathBusy, StorageError, StorageUnavailable
from udist_plugin.storage import paths

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.drivers.fsspec.conftest import SftpServer
    from udist_plugin.drivers.base import StorageDriver


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"file://{tmp_path}"


@pytest.fixture
def driver(url: str) -> Iterator[StorageDriver]:
    driver = opened(url=url)
    yield driver
    driver.close()


def opened(**values: object) -> StorageDriver:
    return open_driver("fsspec", section("fsspec", values), scratch=paths.SCRATCH)


def test_a_write_that_fails_is_not_published(driver: StorageDriver) -> None:
    """fsspec's own ``with`` closes, and so publishes, what an exception interrupts."""
    driver.put_content("/file", b"whole content")
    with pytest.raises(ZeroDivisionError), driver.writer("/file") as writer:
        writer.write(b"the first half")
        raise ZeroDivisionError
    assert driver.get_content("/file") == b"whole content"
    assert driver.list(paths.SCRATCH) == []


def test_a_file_that_arrives_short_is_not_published(
    driver: StorageDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver.put_content("/file", b"whole content")
    writer: Any = driver.writer("/file")
    monkeypatch.setattr(writer._file, "write", lambda data: len(data))
    writer.write(b"lost on its way")
    with pytest.raises(StorageUnavailable, match="0 bytes arrived of 15"):
        writer.commit()
    assert driver.get_content("/file") == b"whole content"
    assert driver.list(paths.SCRATCH) == []


def test_what_another_process_writes_is_listed_at_once(driver: StorageDriver, tmp_path: Path) -> None:
    driver.put_content("/folder/mine", b"x")
    assert driver.list("/folder") == ["mine"]
    (tmp_path / "folder" / "theirs").write_bytes(b"x")
    assert sorted(driver.list("/folder")) == ["mine", "theirs"]


def test_no_range_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Services refuse one, S3 with status 416."""
    driver = opened(url=f"memory://{uuid4()}")
    driver.put_content("/empty", b"")
    driver.put_content("/large", b"x" * (9 << 20))
    ranges: list[tuple[int | None, int | None]] = []
    read = MemoryFileSystem.cat_file

    def cat_file(self: object, path: str, start: int | None = None, end: int | None = None) -> bytes:
        ranges.append((start, end))
        return read(self, path, start, end)  # type: ignore[no-any-return]

    monkeypatch.setattr(MemoryFileSystem, "cat_file", cat_file)
    for path, start, end in (("/empty", 0, None), ("/large", 9 << 20, None), ("/large", 5, 5)):
        assert driver.reader(path, start, end).read() == b""
    assert ranges == []
    assert driver.reader("/large", 1).read() == b"x" * ((9 << 20) - 1)
    assert ranges == [(1, (4 << 20) + 1), ((4 << 20) + 1, (8 << 20) + 1), ((8 << 20) + 1, 9 << 20)]


@pytest.mark.parametrize("place", ["before", "behind"])
def test_of_two_writers_one_stays_at_most(driver: StorageDriver, url: str, place: str) -> None:
    """Each from a process of its own: no turns are shared."""
    other = opened(url=url)
    with driver.writer("/up/data", append=True) as first:
        first.write(b"0123")
    writers = [driver.writer("/up/data", append=True), other.writer("/up/data", append=True)]
    writers[0].write(b"mine")
    writers[1].write(b"theirs")
    writers[0].close()
    with pytest.raises(PathBusy, match="ask for its offset"):
        writers[1].close()
    assert other.appended("/up/data").read() == b"0123mine"
    if place == "behind":
        with other.writer("/up/data", append=True) as third:
            assert third.size == 8
            third.write(b"!")
    assert driver.appended_size("/up/data") == 8 + (place == "behind")


def test_a_writer_that_is_overtaken_after_it_looked_takes_its_segment_back(
    driver: StorageDriver, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, theirs = (each.writer("/up/data", append=True) for each in (driver, opened(url=url)))
    mine.write(b"mine")
    theirs.write(b"theirs")
    added: Any = theirs._added  # type: ignore[attr-defined]
    put = added.commit

    def overtaken(path: str) -> None:
        mine.close()
        put(path)

    monkeypatch.setattr(added, "commit", overtaken)
    with pytest.raises(PathBusy):
        theirs.close()
    assert driver.appended("/up/data").read() == b"mine"
    assert len(driver.list("/up/data")) == 1


def test_two_segments_at_one_offset_are_refused(driver: StorageDriver) -> None:
    """What is left of a writer that was killed after it was overtaken."""
    for mark, content in (("0" * 32, b"mine"), ("1" * 32, b"theirs")):
        driver.put_content(f"/up/data/{0:020}-{mark}.segment", content)
    with pytest.raises(PathBusy, match="start the upload again"):
        driver.appended("/up/data")
    with pytest.raises(PathBusy, match="start the upload again"):
        driver.writer("/up/data", append=True)


def test_a_lost_connection_is_made_again(sftp: SftpServer, tmp_path: Path) -> None:
    driver = opened(**sftp.section(tmp_path))
    try:
        driver.put_content("/file", b"x")
        sftp.sshd.drop()
        assert driver.get_content("/file") == b"x"
        sftp.sshd.drop()
        driver.put_content("/file", b"y")
        sftp.sshd.drop()
        assert driver.stat("/file").size == 1
        assert driver.get_content("/file") == b"y"
    finally:
        driver.close()


def test_an_upload_over_a_lost_connection_fails_and_leaves_nothing(sftp: SftpServer, tmp_path: Path) -> None:
    driver = opened(**sftp.section(tmp_path))
    try:
        driver.put_content("/file", b"whole content")
        writer = driver.writer("/file")
        writer.write(b"the first half")
        sftp.sshd.drop()
        with pytest.raises(StorageError, match="/file"):
            writer.commit()
        assert driver.get_content("/file") == b"whole content"
    finally:
        driver.close()


def test_many_threads_share_few_connections(sftp: SftpServer, tmp_path: Path) -> None:
    driver = opened(**{**sftp.section(tmp_path), "connections": 2})
    errors: list[BaseException] = []

    def use(number: int) -> None:
        try:
            with driver.writer(f"/{number}/large") as writer:
                for _ in range(5):
                    driver.put_content(f"/{number}/small", b"x" * number)
                    assert driver.get_content(f"/{number}/small") == b"x" * number
                    writer.write(bytes([number]) * 70_000)
                writer.commit()
            assert driver.reader(f"/{number}/large").read() == bytes([number]) * 350_000
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=use, args=(number,)) for number in range(6)]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert errors == []
    finally:
        driver.close()


def test_a_connection_that_stays_busy_is_named(
    url: str, driver: StorageDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "WAIT", 0.0)
    one: Any = opened(url=url, connections=1)
    with (
        one._place.connections.one(),
        pytest.raises(StorageUnavailable, match=r"raise storage\.fsspec\.connections"),
    ):
        one.list("/")


def test_errors_of_libraries_are_errors_of_the_store(
    driver: StorageDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> NoReturn:
        raise RuntimeError("what a library says")

    monkeypatch.setattr("fsspec.implementations.local.LocalFileSystem.info", fail)
    with pytest.raises(StorageUnavailable, match="fsspec: /file: RuntimeError: what a library says"):
        driver.stat("/file")
