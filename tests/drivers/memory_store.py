"""An object store in memory, and ``ObjectDriver`` on it."""

from __future__ import annotations

import hashlib
import threading
import time
from typing import TYPE_CHECKING

from udist_plugin.drivers.base import MemoryContent
from udist_plugin.drivers.objects.driver import ObjectDriver
from udist_plugin.drivers.objects.store import ObjectStore, ObjectWriter, StoredObject
from udist_plugin.errors import InvalidOffset, PathBusy, PathNotFound

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from udist_plugin.content import Content


class MemoryStore(ObjectStore):
    """``requests`` counts each verb's calls; a page of a list is one."""

    name = "memory"

    def __init__(self) -> None:
        self.requests: list[str] = []
        self._objects: dict[str, tuple[StoredObject, bytes]] = {}
        self._lock = threading.Lock()

    def head(self, key: str) -> StoredObject:
        self.requests.append(f"head {key}")
        return self._find(key)[0]

    def get(self, key: str, start: int = 0, end: int | None = None) -> Content:
        self.requests.append(f"get {key}")
        _, content = self._find(key)
        if not 0 <= start <= len(content):
            raise InvalidOffset(f"offset {start} of {len(content)} bytes", driver=self.name, path=key)
        return MemoryContent(memoryview(content)[start:end])

    def put(self, key: str, content: bytes) -> None:
        self.requests.append(f"put {key}")
        self._put(key, content)

    def writer(self, key: str, *, mark: str = "") -> ObjectWriter:
        return MemoryWriter(self, key, mark)

    def join(self, sources: Sequence[StoredObject], key: str) -> None:
        self.requests.append(f"join {key}")
        found = [self._find(source.key) for source in sources]
        for (stored, _), source in zip(found, sources, strict=True):
            if stored.version != source.version:
                raise PathNotFound("changed by another meanwhile", driver=self.name, path=source.key)
        self._put(key, b"".join(content for _, content in found))

    def objects(self, prefix: str, *, after: str = "") -> Iterator[StoredObject]:
        self.requests.append(f"objects {prefix}")
        keys = sorted(key for key in list(self._objects) if key.startswith(prefix) and key > after)
        return (found[0] for key in keys if (found := self._objects.get(key)))

    def names(self, prefix: str, *, after: str = "", folders: bool = False) -> Iterator[str]:
        self.requests.append(f"names {prefix}")
        keys = [key[len(prefix) :] for key in list(self._objects) if key.startswith(prefix)]
        found = {key.partition("/")[0] for key in keys if "/" in key or not folders}
        return (name for name in sorted(found) if name > after)

    def delete(self, keys: Sequence[str]) -> None:
        self.requests.append(f"delete {len(keys)}")
        for key in keys:
            self._objects.pop(key, None)

    def delete_version(self, found: StoredObject) -> bool:
        self.requests.append(f"delete {found.key} of one version")
        with self._lock:
            if found.key in self._objects and self._objects[found.key][0].version != found.version:
                return False
            self._objects.pop(found.key, None)
            return True

    def probe(self) -> None:
        pass

    def store(self, key: str, content: bytes, mark: str) -> None:
        """Makes an object at once. Raises ``PathBusy``."""
        self._put(key, content, mark)

    def _find(self, key: str) -> tuple[StoredObject, bytes]:
        try:
            return self._objects[key]
        except KeyError:
            raise PathNotFound("not found", driver=self.name, path=key) from None

    def _put(self, key: str, content: bytes, mark: str = "") -> None:
        with self._lock:
            if mark and key in self._objects:
                raise PathBusy("stands already", driver=self.name, path=key)
            version = str(len(self.requests)) + str(time.monotonic_ns())
            md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
            self._objects[key] = StoredObject(key, len(content), time.time(), version, mark, md5), content


class MemoryWriter(ObjectWriter):
    def __init__(self, store: MemoryStore, key: str, mark: str) -> None:
        self.size = 0
        self._store = store
        self._key = key
        self._mark = mark
        self._data = bytearray()

    def write(self, data: bytes | memoryview) -> None:
        self._data += data
        self.size = len(self._data)

    def commit(self) -> None:
        self._store.store(self._key, bytes(self._data), self._mark)

    def cancel(self) -> None:
        self._data = bytearray()


class MemoryObjects(ObjectDriver):
    """A driver of its own store, or of one that others have too."""

    name = "memory"

    def __init__(self, store: MemoryStore | None = None, prefix: str = "") -> None:
        self.objects = store or MemoryStore()
        super().__init__(self.objects, prefix)

    @classmethod
    def open_store(cls, parameters: Mapping[str, object]) -> tuple[MemoryStore, str]:
        return MemoryStore(), ""
