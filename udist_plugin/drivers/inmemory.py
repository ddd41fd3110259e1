"""Files in this process's memory, for tests and for stores that may be forgotten."""

from __future__ import annotations

import threading
import time

from udist_plugin.drivers.base import LOCK_WAIT, FileInfo, FileWriter, MemoryContent, StorageDriver
from udist_plugin.errors import InvalidOffset, InvalidPath, PathBusy, PathNotFound
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from udist_plugin.content import Content


class File:
    """A file: replaced as a whole when committed, so that readers keep what they opened."""

    __slots__ = ("data", "modified", "taken")

    def __init__(self, data: bytes | bytearray = b"") -> None:
        self.data = data
        self.modified = time.time()
        self.taken = threading.Lock()


class Folder(dict[str, "File | Folder"]):
    """Entries by name."""

    __slots__ = ("modified",)

    def __init__(self) -> None:
        super().__init__()
        self.modified = time.time()


class InMemoryDriver(StorageDriver):
    """A tree of folders and files."""

    name = "inmemory"
    in_memory = True

    def wait_within(self, context: Callable[[], AbstractContextManager[None]]) -> bool:  # noqa: ARG002
        return True  # it waits for nothing

    def __init__(self) -> None:
        self._root = Folder()
        self._lock = threading.Lock()

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, object], *, scratch: str) -> InMemoryDriver:  # noqa: ARG003
        return cls()

    def put_content(self, path: str, content: bytes, *, durable: bool = True) -> None:  # noqa: ARG002
        self.put_file(path, File(bytes(content)))

    def reader(self, path: str, start: int = 0, end: int | None = None) -> Content:
        with self._lock:
            data = bytes(self._file(path).data)
        if not 0 <= start <= len(data):
            raise InvalidOffset(f"offset {start} of {len(data)} bytes", driver=self.name, path=path)
        return MemoryContent(memoryview(data)[start:end])

    def writer(self, path: str, *, append: bool = False) -> FileWriter:
        return AppendedFile(self, path) if append else NewFile(self, path)

    def stat(self, path: str) -> FileInfo:
        with self._lock:
            found = self._find(path)
            if isinstance(found, Folder):
                return FileInfo(path, 0, found.modified, True)
            return FileInfo(path, len(found.data), found.modified)

    def list(self, path: str) -> list[str]:
        with self._lock:
            found = self._find(path)
            if not isinstance(found, Folder):
                raise InvalidPath("a file, not a folder", driver=self.name, path=path)
            return list(found)

    def move(self, source: str, destination: str) -> None:
        with self._lock:
            file = self._file(source)
            if source != destination:
                self._put(destination, file)
                self._remove(source)

    def delete(self, path: str, *, durable: bool = True) -> None:  # noqa: ARG002
        with self._lock:
            self._find(path)
            self._remove(path)

    def remove_if_empty(self, path: str) -> bool:
        with self._lock:
            try:
                if self._find(path) != Folder():
                    return False
                self._remove(path)
            except (PathNotFound, InvalidPath):
                return False
            return True

    def delete_if(self, path: str, holding: str, content: bytes) -> bool:
        with self._lock:
            if self._file(f"{self.check_path(path)}/{holding}").data != content:
                return False
            self._remove(path)
            return True

    def put_file(self, path: str, file: File) -> None:
        with self._lock:
            self._put(path, file)

    def open_file(self, path: str) -> File:
        """The file at ``path``, made if missing."""
        with self._lock:
            try:
                return self._file(path)
            except PathNotFound:
                file = File(bytearray())
                self._put(path, file)
                return file

    def holds(self, path: str, file: File) -> bool:
        """Whether ``file`` stands at ``path``."""
        with self._lock:
            try:
                return self._find(path) is file
            except PathNotFound:
                return False

    def _find(self, path: str) -> File | Folder:
        found: File | Folder | None = self._root
        for name in self.check_path(path).split("/")[1:] if path != "/" else ():
            if not isinstance(found, Folder):
                raise InvalidPath("a file is in the place of a folder", driver=self.name, path=path)
            if (found := found.get(name)) is None:
                raise PathNotFound("not found", driver=self.name, path=path)
        assert found is not None
        return found

    def _file(self, path: str) -> File:
        found = self._find(path)
        if isinstance(found, Folder):
            raise InvalidPath("a folder, not a file", driver=self.name, path=path)
        return found

    def _put(self, path: str, file: File) -> None:
        *folders, name = self.check_path(path).split("/")[1:]
        folder = self._root
        for part in folders:
            below = folder.setdefault(part, Folder())
            if not isinstance(below, Folder):
                raise InvalidPath("a file is in the place of a folder", driver=self.name, path=path)
            folder = below
        if not name or isinstance(folder.get(name), Folder):
            raise InvalidPath("a folder, not a file", driver=self.name, path=path)
        folder[name] = file
        folder.modified = time.time()

    def _remove(self, path: str) -> None:
        above, _, name = path.rpartition("/")
        folder = self._find(above or "/")
        if not name or not isinstance(folder, Folder):
            raise InvalidPath("the root of the store cannot be deleted", driver=self.name, path=path)
        del folder[name]
        folder.modified = time.time()


class NewFile(FileWriter):
    """Content that no path names until it is committed."""

    def __init__(self, driver: InMemoryDriver, path: str) -> None:
        self.size = 0
        self._driver = driver
        self._path = driver.check_path(path)
        self._data = bytearray()

    def write(self, data: bytes | memoryview) -> None:
        self._data += data
        self.size = len(self._data)

    def commit(self, path: str | None = None) -> None:
        self._driver.put_file(path or self._path, File(bytes(self._data)))
        self.close()

    def cancel(self) -> None:
        self.close()

    def close(self) -> None:
        self._data = bytearray()


class AppendedFile(FileWriter):
    """A file that grows in place, one writer at a time."""

    def __init__(self, driver: InMemoryDriver, path: str) -> None:
        self._driver = driver
        self._path = path
        self._open = True
        while True:
            self._file = driver.open_file(path)
            if not self._file.taken.acquire(timeout=LOCK_WAIT):
                raise PathBusy("another writer holds it", driver=driver.name, path=path)
            if driver.holds(path, self._file):
                break
            self._file.taken.release()  # committed or deleted while this one waited
        data = self._file.data
        self._data = data if isinstance(data, bytearray) else bytearray(data)
        self._file.data = self._data
        self.size = len(self._data)

    def write(self, data: bytes | memoryview) -> None:
        self._data += data
        self.size = len(self._data)
        self._file.modified = time.time()

    def commit(self, path: str | None = None) -> None:
        try:
            self._file.data = bytes(self._data)
            if path is not None:
                self._driver.move(self._path, path)
        finally:
            self.close()

    def cancel(self) -> None:
        if self._driver.holds(self._path, self._file):
            self._driver.delete(self._path)
        self.close()

    def close(self) -> None:
        if self._open:
            self._open = False
            self._file.taken.release()
