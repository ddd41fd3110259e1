"""The suite every storage driver passes.

Subclass it in a test module and give it a driver on an empty store::

    class TestMyDriver(StorageDriverSuite):
        @pytest.fixture
        def driver(self, tmp_path: Path) -> StorageDriver:
            return MyDriver(tmp_path)
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from udist_plugin.errors import InvalidOffset, InvalidPath, PathBusy, PathNotFound, StorageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from udist_plugin.drivers.base import StorageDriver

BAD_PATHS = [
    "",
    "a",
    "a/b",
    "//a",
    "/a//b",
    "/a/",
    "/.",
    "/..",
    "/a/../b",
    "/a/./b",
    "/../etc/passwd",
    "/a\0b",
    "/a\nb",
    "/a\n",
    "/a b",
    "/a\\b",
    "/a:b",
    "/ä",
    "/a%2fb",
]


class StorageDriverSuite:
    """What ``StorageDriver`` promises, verb by verb."""

    @pytest.fixture
    def driver(self) -> StorageDriver:
        """A driver on an empty store."""
        raise NotImplementedError

    def test_content_comes_back(self, driver: StorageDriver) -> None:
        for content in (b"", b"x", bytes(range(256)) * 8192):
            driver.put_content("/a/b.c_d-e/0", content)
            assert driver.get_content("/a/b.c_d-e/0") == content

    def test_put_replaces_longer_content(self, driver: StorageDriver) -> None:
        driver.put_content("/file", b"a long content")
        driver.put_content("/file", b"short", durable=False)
        assert driver.get_content("/file") == b"short"

    def test_put_contents_makes_and_replaces(self, driver: StorageDriver) -> None:
        driver.put_content("/old/link", b"a long content")
        driver.put_contents({"/new/data": b"x"}, {}, {"/old/link": b"y", "/new/a/b": b""}, {"/new/a/c": b"z"})
        driver.put_contents({"/new/data": b"w"})
        contents = {"/new/data": b"w", "/old/link": b"y", "/new/a/b": b"", "/new/a/c": b"z"}
        assert {path: driver.get_content(path) for path in contents} == contents
        with pytest.raises(InvalidPath):
            driver.put_contents({"/fresh/file": b"x"}, {"/../file": b"x"})

    def test_get_content_is_limited(self, driver: StorageDriver) -> None:
        driver.put_content("/file", b"12345")
        assert driver.get_content("/file", 5) == b"12345"
        with pytest.raises(StorageError, match="more bytes than the 4"):
            driver.get_content("/file", 4)

    @pytest.mark.parametrize("path", BAD_PATHS)
    def test_bad_paths_are_refused(self, driver: StorageDriver, path: str) -> None:
        verbs: list[Callable[[], object]] = [
            lambda: driver.put_content(path, b"x"),
            lambda: driver.get_content(path),
            lambda: driver.reader(path),
            lambda: driver.writer(path),
            lambda: driver.writer(path, append=True),
            lambda: driver.stat(path),
            lambda: driver.list(path),
            lambda: driver.move(path, "/there"),
            lambda: driver.delete(path),
            lambda: driver.delete_if(path, "file", b"x"),
            lambda: driver.move("/here", path),
        ]
        driver.put_content("/here", b"x")
        for verb in verbs:
            with pytest.raises(InvalidPath):
                verb()
        assert driver.get_content("/here") == b"x"
        assert not driver.exists("/there")

    def test_what_does_not_exist_is_not_found(self, driver: StorageDriver) -> None:
        driver.put_content("/folder/file", b"x")
        for path in ("/nothing", "/folder/nothing", "/nothing/below"):
            verbs: list[Callable[[str], object]] = [
                driver.get_content,
                driver.reader,
                driver.stat,
                driver.list,
                driver.delete,
            ]
            for verb in verbs:
                with pytest.raises(PathNotFound) as caught:
                    verb(path)
                assert caught.value.path == path
                assert caught.value.driver == driver.name
            with pytest.raises(PathNotFound):
                driver.move(path, "/there")
            assert not driver.exists(path)

    def test_reader_reads_ranges(self, driver: StorageDriver) -> None:
        driver.put_content("/file", b"0123456789")
        ranges = [(0, None), (0, 10), (0, 100), (3, None), (3, 7), (9, 10), (10, None), (4, 4), (0, 0)]
        for start, end in ranges:
            with driver.reader("/file", start, end) as content:
                expected = b"0123456789"[start:end]
                assert content.size == len(expected)
                assert content.read() == expected
                assert content.read() == b""

    def test_reader_reads_pieces(self, driver: StorageDriver) -> None:
        driver.put_content("/file", b"0123456789")
        with driver.reader("/file", 1, 8) as content:
            assert content.read(3) == b"123"
            assert content.size == 4
            assert content.read(0) == b""
            assert content.read(100) == b"4567"
            assert content.read(1) == b""

    def test_reader_lends_a_file_positioned_at_the_start(self, driver: StorageDriver) -> None:
        driver.put_content("/file", b"0123456789")
        with driver.reader("/file", 4) as content:
            if content.file is None:
                assert content.read(2) == b"45"
            else:
                assert content.file.tell() == 4
                assert content.file.read(2) == b"45"
        content.close()

    def test_reader_refuses_offsets_outside(self, driver: StorageDriver) -> None:
        driver.put_content("/file", b"0123456789")
        for start in (11, -1, 1 << 40):
            with pytest.raises(InvalidOffset):
                driver.reader("/file", start)

    def test_reader_keeps_what_it_opened(self, driver: StorageDriver) -> None:
        driver.put_content("/file", b"old content")
        with driver.reader("/file") as content:
            driver.put_content("/file", b"new")
            assert content.read() == b"old content"
        with driver.reader("/file") as content:
            driver.delete("/file")
            assert content.read() == b"new"

    def test_writer_is_invisible_until_committed(self, driver: StorageDriver) -> None:
        with driver.writer("/folder/file") as writer:
            assert writer.size == 0
            writer.write(b"some ")
            writer.write(memoryview(b"content"))
            assert writer.size == 12
            assert not driver.exists("/folder/file")
            writer.commit()
        assert driver.get_content("/folder/file") == b"some content"

    def test_writer_that_is_not_committed_leaves_nothing(self, driver: StorageDriver) -> None:
        driver.put_content("/file", b"old")
        for end in ("close", "cancel"):
            writer = driver.writer("/file")
            writer.write(b"new")
            getattr(writer, end)()
            writer.close()
            assert driver.get_content("/file") == b"old"

    def test_writer_commits_to_another_path(self, driver: StorageDriver) -> None:
        with driver.writer("/here") as writer:
            writer.write(b"new")
            writer.commit("/there/it/is")
        assert driver.get_content("/there/it/is") == b"new"
        assert not driver.exists("/here")

    def test_appending_goes_on(self, driver: StorageDriver) -> None:
        size = 0
        for part in (b"one ", b"", b"two ", b"three"):
            with driver.writer("/up/1/data", append=True) as writer:
                assert writer.size == size
                writer.write(part)
                size += len(part)
        with driver.appended("/up/1/data") as content:
            assert content.size == 13
            assert content.read(3) == b"one"
            assert content.read() == b" two three"
        with driver.writer("/up/1/data", append=True) as writer:
            writer.write(b" four")
            writer.commit("/blobs/data")
        assert driver.get_content("/blobs/data") == b"one two three four"
        assert not driver.exists("/up/1/data")

    def test_appending_can_be_cancelled(self, driver: StorageDriver) -> None:
        with driver.writer("/up/data", append=True) as writer:
            writer.write(b"x")
        with driver.writer("/up/data", append=True) as writer:
            writer.cancel()
        assert not driver.exists("/up/data")

    def test_appending_locks_others_out(self, driver: StorageDriver) -> None:
        """The second writer waits for the first, and starts where the file was not left: anew."""
        first = driver.writer("/up/data", append=True)
        first.write(b"first")
        sizes: list[int] = []
        waiting = threading.Event()

        def second() -> None:
            waiting.set()
            with driver.writer("/up/data", append=True) as writer:
                sizes.append(writer.size)
                writer.write(b"second")

        thread = threading.Thread(target=second)
        thread.start()
        assert waiting.wait(10)
        first.commit("/blob")
        thread.join(10)
        assert sizes == [0]
        assert driver.get_content("/blob") == b"first"
        with driver.appended("/up/data") as content:
            assert content.read() == b"second"

    def test_a_file_that_grows_beside_another(self, driver: StorageDriver) -> None:
        with pytest.raises(PathNotFound):
            driver.growing("/up/data", "started")
        driver.put_content("/up/started", b"now")
        assert driver.growing("/up/data", "started").size == 0
        with driver.growing("/up/data", "started").writer() as writer:
            writer.write(b"first")
        growing = driver.growing("/up/data", "started")
        assert growing.size == 5
        with growing.writer() as writer:
            assert writer.size == 5
            writer.write(b", second")
        driver.growing("/up/data", "started").drop()
        assert not driver.exists("/up/started")
        with pytest.raises(PathNotFound):
            driver.growing("/up/data", "started")

    def test_what_another_has_added_meanwhile_is_not_overwritten(self, driver: StorageDriver) -> None:
        driver.put_content("/up/started", b"now")
        before = driver.growing("/up/data", "started")
        with driver.growing("/up/data", "started").writer() as writer:
            writer.write(b"other")
        with suppress(PathBusy), before.writer() as writer:
            if not writer.size:  # it has not looked again
                writer.write(b"own")
        with driver.appended("/up/data") as content:
            assert content.read() == b"other"

    def test_stat_tells_size_kind_and_time(self, driver: StorageDriver) -> None:
        before = time.time()
        driver.put_content("/folder/file", b"12345")
        info = driver.stat("/folder/file")
        assert (info.path, info.size, info.is_folder) == ("/folder/file", 5, False)
        assert before - 60 < info.modified < time.time() + 60
        info = driver.stat("/folder")
        assert (info.path, info.size, info.is_folder) == ("/folder", 0, True)

    def test_list_names_what_stands_in_a_folder(self, driver: StorageDriver) -> None:
        for path in ("/f/a", "/f/b/c", "/f/b/d", "/f/e/g/h", "/fa"):
            driver.put_content(path, b"x")
        assert sorted(driver.list("/f")) == ["a", "b", "e"]
        assert sorted(driver.list("/f/b")) == ["c", "d"]
        assert {"f", "fa"} <= set(driver.list("/"))

    def test_folders_with_a_file_in_them(self, driver: StorageDriver) -> None:
        for path in ("/f/c/in/it", "/f/a/in/it", "/f/b/in/other", "/f/d/in", "/f/e/in/it", "/f/file"):
            driver.put_content(path, b"x" * len(path))
        found = list(driver.folders_with("/f", "in/it", "aceg".count))
        assert found == [(name, len(f"/f/{name}/in/it")) for name in "ace"]
        assert [name for name, _ in driver.folders_with("/f", "in/it", "ae".count, after="a")] == ["e"]
        driver.delete("/f/c/in/it")
        assert [name for name, _ in driver.folders_with("/f", "in/it", "aceg".count)] == ["a", "e"]

    def test_move_replaces(self, driver: StorageDriver) -> None:
        driver.put_content("/from/file", b"new")
        driver.put_content("/to/file", b"old")
        driver.move("/from/file", "/to/file")
        assert driver.get_content("/to/file") == b"new"
        assert not driver.exists("/from/file")
        driver.move("/to/file", "/some/where/else")
        assert driver.get_content("/some/where/else") == b"new"

    def test_delete_takes_all_below(self, driver: StorageDriver) -> None:
        for path in ("/f/a", "/f/b/c", "/f/b/d", "/fa"):
            driver.put_content(path, b"x")
        driver.delete("/f/b")
        assert driver.list("/f") == ["a"]
        driver.delete("/f/a", durable=False)
        assert not driver.exists("/f/a")
        driver.put_content("/f/a", b"again")
        driver.delete("/f")
        assert not driver.exists("/f/a")
        assert driver.get_content("/fa") == b"x"

    def test_delete_if_takes_the_folder_of_a_file_that_holds_the_content(self, driver: StorageDriver) -> None:
        for path in ("/f/a/current/link", "/f/a/current/other", "/f/a/index/link", "/f/b", "/f/ab/link"):
            driver.put_content(path, b"x")
        assert driver.delete_if("/f/a", "current/link", b"x")
        assert not driver.exists("/f/a")
        assert sorted(driver.list("/f")) == ["ab", "b"]

    def test_delete_if_leaves_a_folder_whose_file_holds_something_else(self, driver: StorageDriver) -> None:
        for path in ("/f/current/link", "/f/index/link"):
            driver.put_content(path, b"x")
        for content in (b"", b"y", b"xx"):
            assert not driver.delete_if("/f", "current/link", content)
        assert driver.get_content("/f/current/link") == driver.get_content("/f/index/link") == b"x"

    def test_delete_if_finds_nothing_without_the_file(self, driver: StorageDriver) -> None:
        driver.put_content("/f/index/link", b"x")
        for folder in ("/f", "/nothing"):
            with pytest.raises(PathNotFound) as caught:
                driver.delete_if(folder, "current/link", b"x")
            assert caught.value.path == f"{folder}/current/link"
        assert driver.exists("/f/index/link")

    def test_concurrent_puts_never_show_a_part(self, driver: StorageDriver) -> None:
        contents = [bytes([number]) * (1000 * (number + 1)) for number in range(4)]
        driver.put_content("/file", contents[0])
        failures: list[object] = []
        done = threading.Event()

        def put(content: bytes) -> None:
            for _ in range(20):
                driver.put_content("/file", content)

        def read() -> None:
            while not done.is_set():
                if (content := driver.get_content("/file")) not in contents:
                    failures.append(content)

        reader = threading.Thread(target=read)
        writers = [threading.Thread(target=put, args=(content,)) for content in contents]
        for thread in [reader, *writers]:
            thread.start()
        for thread in writers:
            thread.join()
        done.set()
        reader.join()
        assert failures == []

    def test_puts_beside_deletions_of_the_folder_all_succeed(self, driver: StorageDriver) -> None:
        errors: list[Exception] = []
        done = threading.Event()

        def put(name: str) -> None:
            try:
                for _ in range(30):
                    driver.put_content(f"/folder/below/{name}", b"x")
            except Exception as error:
                errors.append(error)

        def delete() -> None:
            while not done.is_set():
                try:
                    driver.delete("/folder")
                except PathNotFound:
                    continue
                except Exception as error:
                    errors.append(error)
                    return

        deleter = threading.Thread(target=delete)
        writers = [threading.Thread(target=put, args=(str(number),)) for number in range(3)]
        for thread in [deleter, *writers]:
            thread.start()
        for thread in writers:
            thread.join()
        done.set()
        deleter.join()
        assert [repr(error) for error in errors] == []
        driver.put_content("/folder/below/last", b"x")
        assert driver.exists("/folder/below/last")
