"""What every ``ObjectStore`` promises, verb by verb."""

from __future__ import annotations

import hashlib
import re
import threading
import time
from typing import TYPE_CHECKING

import pytest

from udist_plugin.errors import InvalidOffset, PathBusy, PathNotFound

if TYPE_CHECKING:
    from udist_plugin.drivers.objects.store import ObjectStore

MANY = 70
"""More sources than Google joins at once, twice over."""


class ObjectStoreSuite:
    """Subclass it and give it an empty ``store`` whose chunks are ``chunk`` bytes."""

    chunk: int

    @pytest.fixture
    def store(self) -> ObjectStore:
        raise NotImplementedError

    def read(self, store: ObjectStore, key: str) -> bytes:
        with store.get(key) as content:
            return content.read()

    def test_an_object_comes_back(self, store: ObjectStore) -> None:
        for content in (b"", b"x", bytes(range(256)) * 64):
            store.put("a/b", content)
            assert self.read(store, "a/b") == content
            found = store.head("a/b")
            assert (found.key, found.size) == ("a/b", len(content))
            assert abs(found.modified - time.time()) < 60

    def test_a_version_names_the_bytes(self, store: ObjectStore) -> None:
        store.put("a", b"1")
        first = store.head("a").version
        assert store.head("a").version == first
        store.put("a", b"2")
        assert store.head("a").version != first

    def test_what_is_not_there_is_not_found(self, store: ObjectStore) -> None:
        store.put("a/b", b"x")
        for key in ("a", "a/", "b", "a/b/c"):
            for verb in (store.head, store.get):
                with pytest.raises(PathNotFound):
                    verb(key)

    def test_ranges(self, store: ObjectStore) -> None:
        store.put("a", b"0123456789")
        for start, end in [(0, 10), (0, 100), (3, None), (3, 7), (9, 10), (10, None), (4, 4), (0, 0)]:
            with store.get("a", start, end) as content:
                expected = b"0123456789"[start:end]
                assert content.size == len(expected)
                assert content.read() == expected
                assert content.read(1) == b""
        for start in (11, -1, 1 << 40):
            with pytest.raises(InvalidOffset):
                store.get("a", start)
        store.put("a", b"")
        with store.get("a") as content:
            assert content.size == 0
            assert content.read() == b""

    def test_an_open_content_is_of_one_version(self, store: ObjectStore) -> None:
        store.put("a", b"old content")
        with store.get("a") as content:
            assert content.read(3) == b"old"
            store.put("a", b"new")
            assert content.read(3) == b" co"
            store.delete(["a"])
            assert content.read() == b"ntent"

    @pytest.mark.parametrize("new", [False, True])
    def test_a_writer_takes_any_size(self, store: ObjectStore, new: bool) -> None:
        for number, size in enumerate(
            (0, 1, self.chunk - 1, self.chunk, self.chunk + 1, 2 * self.chunk, 3 * self.chunk + 17)
        ):
            content = bytes([number]) * size
            key = f"{new}/{number}"
            writer = store.writer(key, mark="mine" if new else "")
            view = memoryview(content)
            for first in range(0, size, 100_000):
                writer.write(view[first : first + 100_000])
            assert writer.size == size
            assert list(store.objects(key)) == []
            writer.commit()
            writer.cancel()
            assert self.read(store, key) == content
            assert [each.key for each in store.objects(f"{new}/{number}")] == [key]

    @pytest.mark.parametrize("chunks", [0, 2])
    def test_a_list_tells_the_md5_of_nothing_else(self, store: ObjectStore, chunks: int) -> None:
        content = b"x" * (chunks * self.chunk + 71)
        store.put("put", content[:71])
        writer = store.writer("written")
        writer.write(content)
        writer.commit()
        store.join(list(store.objects("")), "joined")
        for found in store.objects(""):
            told = re.fullmatch("[0-9a-f]{32}", found.md5)
            assert not told or found.md5 == hashlib.md5(self.read(store, found.key)).hexdigest()

    def test_a_new_object_has_its_writer_s_mark(self, store: ObjectStore) -> None:
        for key, size in (("a", 3), ("b", 2 * self.chunk + 1)):
            writer = store.writer(key, mark=f"{key}-1")
            writer.write(b"x" * size)
            writer.commit()
            assert store.head(key).mark == f"{key}-1"
        store.put("c", b"x")
        assert store.head("c").mark == ""

    def test_a_writer_may_be_lent_its_data(self, store: ObjectStore) -> None:
        buffer = bytearray(b"a" * 1000)
        writer = store.writer("a")
        for letter in b"ab":
            buffer[:] = bytes([letter]) * 1000
            writer.write(memoryview(buffer))
        writer.commit()
        assert self.read(store, "a") == b"a" * 1000 + b"b" * 1000

    def test_a_cancelled_writer_leaves_nothing(self, store: ObjectStore) -> None:
        store.put("a", b"old")
        for size in (10, 2 * self.chunk + 1):
            writer = store.writer("a")
            writer.write(b"x" * size)
            writer.cancel()
            writer.cancel()
            assert self.read(store, "a") == b"old"
            assert [each.key for each in store.objects("")] == ["a"]

    @pytest.mark.parametrize("size", [10, 3])
    def test_a_writer_replaces_unless_it_is_of_a_new_object(self, store: ObjectStore, size: int) -> None:
        content = b"n" * (size if size == 10 else self.chunk + 3)
        late = store.writer("a", mark="mine")
        late.write(content)
        store.put("a", b"old")
        with pytest.raises(PathBusy):
            late.commit()
        late.cancel()
        assert self.read(store, "a") == b"old"
        writer = store.writer("a")
        writer.write(content)
        writer.commit()
        assert self.read(store, "a") == content

    def test_writers_of_one_object_at_once_all_succeed(self, store: ObjectStore) -> None:
        """As when plugins push the same blob: whoever ends last wins, nobody fails."""
        contents = [bytes([number]) * (self.chunk + 5) for number in range(3)]
        writers = [store.writer("a") for _ in contents]
        for writer, content in zip(writers, contents, strict=True):
            writer.write(content)
        for writer, content in zip(writers, contents, strict=True):
            writer.commit()
            assert self.read(store, "a") == content
        assert [each.key for each in store.objects("")] == ["a"]

    @pytest.mark.parametrize("count", [0, 1, 2, 32, 33, MANY])
    def test_objects_are_joined_in_their_order(self, store: ObjectStore, count: int) -> None:
        store.put("whole", b"what stood there before")
        for number in range(count):
            store.put(f"parts/{number:03}", b"%03d;" % number * (number % 3))
        sources = list(store.objects("parts/"))
        store.join(sources, "whole")
        assert self.read(store, "whole") == b"".join(b"%03d;" % n * (n % 3) for n in range(count))
        assert list(store.objects("parts/")) == sources

    def test_a_source_of_another_version_is_not_joined(self, store: ObjectStore) -> None:
        store.put("a", b"1")
        source = store.head("a")
        store.put("a", b"2")
        with pytest.raises(PathNotFound):
            store.join([source], "whole")
        store.delete(["a"])
        with pytest.raises(PathNotFound):
            store.join([source], "whole")
        assert [each.key for each in store.objects("whole")] == []

    def test_objects_come_in_order(self, store: ObjectStore) -> None:
        keys = ["f/a", "f/a-b", "f/a/b", "f/a/c", "f/b", "fa", "g"]
        for key in reversed(keys):
            store.put(key, key.encode())
        assert [each.key for each in store.objects("")] == sorted(keys)
        assert [each.key for each in store.objects("f/")] == keys[:5]
        assert [each.key for each in store.objects("f/", after="f/a")] == keys[1:5]
        assert [each.key for each in store.objects("f/", after="f/a/a")] == keys[2:5]
        assert [each.key for each in store.objects("nothing")] == []
        found = next(iter(store.objects("f/a")))
        assert found == store.head("f/a")

    def test_names_are_told_once_and_in_order(self, store: ObjectStore) -> None:
        for key in ["f/a", "f/a/b", "f/a/c", "f/a-b/x", "f/a.b/x", "f/b", "f/c/d/e", "fa"]:
            store.put(key, b"x")
        assert list(store.names("f/")) == ["a", "a-b", "a.b", "b", "c"]
        assert list(store.names("f/", after="a")) == ["a-b", "a.b", "b", "c"]
        assert list(store.names("f/", after="a.a")) == ["a.b", "b", "c"]
        assert list(store.names("")) == ["f", "fa"]
        assert list(store.names("f/", folders=True)) == ["a", "a-b", "a.b", "c"]
        assert list(store.names("f/", after="a-b", folders=True)) == ["a.b", "c"]
        assert list(store.names("f/c/")) == ["d"]
        assert list(store.names("f/c/", after="d")) == []
        assert list(store.names("nothing/")) == []

    def test_a_folder_s_own_mark_has_no_name(self, store: ObjectStore) -> None:
        for key in ("f/", "f/a/", "f/a/b", "f/c/"):
            store.put(key, b"")
        assert list(store.names("f/")) == list(store.names("f/", folders=True)) == ["a", "c"]

    def test_long_lists_come_whole(self, store: ObjectStore) -> None:
        keys = [f"list/{number:04}/x" for number in range(1100)]
        threads = [
            threading.Thread(target=lambda part: [store.put(key, b"") for key in part], args=(keys[at::4],))
            for at in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [each.key for each in store.objects("list/")] == keys
        assert list(store.names("list/")) == [key.split("/")[1] for key in keys]
        store.delete([*keys, "list/not there"])
        assert list(store.objects("")) == []

    def test_deleting_what_is_not_there_does_not_matter(self, store: ObjectStore) -> None:
        store.delete([])
        store.delete(["a"])
        store.put("a", b"")
        store.put("b", b"")
        store.delete(["a", "c"])
        assert [each.key for each in store.objects("")] == ["b"]

    def test_a_version_is_deleted_and_no_other(self, store: ObjectStore) -> None:
        store.put("a", b"old")
        old = store.head("a")
        store.put("a", b"new")
        assert not store.delete_version(old)
        assert self.read(store, "a") == b"new"
        assert store.delete_version(store.head("a"))
        assert list(store.objects("")) == []

    def test_a_probe_of_a_store_in_order_says_nothing(self, store: ObjectStore) -> None:
        store.probe()
        store.put("a", b"")
        store.probe()
