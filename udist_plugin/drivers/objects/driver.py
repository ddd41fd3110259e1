"""A tree of files on an object store: a folder is what the keys below it have in common.

A file is an object. One that grows (``writer(append=True)``) is a *segment* object for each writer that
added to it, ``<path>/<offset>.segment``, made only where none stands: so two plugins cannot both write the
same bytes of it, any other goes on where one left off, and its commit is a join by the service itself.
"""

from __future__ import annotations

import os
from abc import abstractmethod
from itertools import islice
from typing import TYPE_CHECKING, Final

from udist_plugin.drivers.base import FileInfo, Growing, StorageDriver
from udist_plugin.drivers.growing import Turns
from udist_plugin.drivers.objects.files import AppendedObject, GrowingObject, NewObject, Segments
from udist_plugin.drivers.objects.tree import Tree
from udist_plugin.errors import InvalidPath, PathBusy, PathNotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Self

    from udist_plugin.content import Content
    from udist_plugin.drivers.base import FileWriter
    from udist_plugin.drivers.objects.store import ObjectStore, StoredObject

DELETED_AT_ONCE: Final = 1000
"""Keys of a folder held in memory while it is deleted."""
ATTEMPTS: Final = 5
"""How often a file is looked at that is replaced by the same content before it can be deleted."""


class ObjectDriver(StorageDriver):
    """The driver of ``store``; ``prefix``, empty or up to a slash, stands before every key.

    A service's driver is a subclass with ``name`` and ``open_store``.
    """

    lookups = 16
    has_folders = False

    def __init__(self, store: ObjectStore, prefix: str = "") -> None:
        self.store = store
        self._tree = Tree(store, prefix)
        self._turns = Turns()

    @classmethod
    @abstractmethod
    def open_store(cls, parameters: Mapping[str, object]) -> tuple[ObjectStore, str]:
        """The store of a section, and the prefix of its keys. Raises ``ConfigurationError``."""

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, object], *, scratch: str) -> Self:  # noqa: ARG003
        return cls(*cls.open_store(parameters))

    def put_content(self, path: str, content: bytes, *, durable: bool = True) -> None:  # noqa: ARG002
        with self._tree.named_errors(path):
            self.store.put(self._tree.key(path), content)

    def reader(self, path: str, start: int = 0, end: int | None = None) -> Content:
        with self._tree.named_errors(path):
            return self.store.get(self._tree.key(path), start, end)

    def writer(self, path: str, *, append: bool = False) -> FileWriter:
        return AppendedObject(self._tree, self._turns, path) if append else NewObject(self._tree, path)

    def appended(self, path: str) -> Content:
        return Segments(self.store, self._tree.segments(path))

    def growing(self, path: str, beside: str) -> Growing:
        """By one list."""
        parent = path.rpartition("/")[0]
        with self._tree.named_errors(path):
            beside = self._tree.key(f"{parent}/{beside}")
            found = list(self.store.objects(self._tree.folder(parent)))
            stands = any(each.key == beside for each in found)
            if not stands and not (self.store.lists_late and self._tree.stands(beside)):
                raise self._tree.missing(path)
        return GrowingObject(self, self._tree, self._turns, path, found)

    def exists(self, path: str) -> bool:
        """By one request if it is a folder."""
        key, folder = self._tree.key(path), self._tree.folder(path)
        with self._tree.named_errors(path):
            return any(True for _ in self.store.objects(folder)) or (key != folder and self._tree.stands(key))

    def stands(self, path: str) -> bool:
        with self._tree.named_errors(path):
            return self._tree.stands(self._tree.key(path))

    def stat(self, path: str) -> FileInfo:
        key, folder = self._tree.key(path), self._tree.folder(path)
        with self._tree.named_errors(path):
            try:
                if key != folder:
                    found = self.store.head(key)
                    return FileInfo(path, found.size, found.modified)
            except PathNotFound:
                pass
            for below in self.store.objects(folder):
                return FileInfo(path, 0, below.modified, is_folder=True)
        if path == "/":
            return FileInfo(path, 0, 0.0, is_folder=True)
        raise self._tree.missing(path)

    def list(self, path: str) -> list[str]:
        with self._tree.named_errors(path):
            names = list(self.store.names(self._tree.folder(path)))
        if not names and path != "/":
            raise self._tree.missing(path)
        return names

    def names(self, path: str, *, after: str = "") -> Iterator[str]:
        """One grouped listing: nothing below the names is walked."""
        return self._names(path, after, folders=False)

    def folders(self, path: str, *, after: str = "") -> Iterator[str]:
        return self._names(path, after, folders=True)

    def _names(self, path: str, after: str, *, folders: bool) -> Iterator[str]:
        found = False
        with self._tree.named_errors(path):
            for name in self.store.names(self._tree.folder(path), after=after, folders=folders):
                found = True
                yield name
        if not found and not self.exists(path):
            raise self._tree.missing(path)

    def files(self, path: str, *, after: str = "") -> Iterator[str]:
        return (name for name, _ in self._files(path, after))

    def files_with_md5(self, path: str) -> Iterator[tuple[str, str]]:
        return ((name, found.md5) for name, found in self._files(path, ""))

    def _files(self, path: str, after: str) -> Iterator[tuple[str, StoredObject]]:
        folder = self._tree.folder(path)
        with self._tree.named_errors(path):
            for found in self.store.objects(folder, after=f"{folder}{after}" if after else ""):
                if not found.key.endswith("/"):  # what other programs mark a folder with
                    yield found.key[len(folder) :], found

    def move(self, source: str, destination: str) -> None:
        self._tree.move(source, destination)

    def copy(self, source: str, destination: str) -> None:
        self._tree.copy(source, destination)

    def move_if(self, source: str, destination: str, is_right: Callable[[], bool]) -> bool:
        key, target = self._tree.key(source), self._tree.key(destination)
        with self._tree.named_errors(source):
            found = self.store.head(key)
            self.store.join([found], target)
            return is_right() and self.store.delete_version(found)

    def compares(self, folder: str) -> bool:
        path = f"{folder}/{os.urandom(8).hex()}"
        key = self._tree.key(path)
        with self._tree.named_errors(path):
            self.store.put(key, b"1")
            found = self.store.head(key)
            self.store.put(key, b"2")
            try:
                return not self.store.delete_version(found)
            finally:
                self.store.delete([key])

    def delete(self, path: str, *, durable: bool = True) -> None:  # noqa: ARG002
        key, folder = self._tree.key(path), self._tree.folder(path)
        if path == "/":
            raise InvalidPath("the root of the store cannot be deleted", driver=self.name, path=path)
        with self._tree.named_errors(path):
            if self._delete(self._keys(folder)):
                return
            if not self._tree.stands(key):
                raise self._tree.missing(path)
            self.store.delete([key])

    def delete_if(self, path: str, holding: str, content: bytes) -> bool:
        """The version is asked for before the content, which is then of this version or of a later one; so
        if it is as expected and the version still stands, what is deleted is what was read."""
        file = f"{self.check_path(path)}/{holding}"
        key = self._tree.key(file)
        with self._tree.named_errors(file):
            for _ in range(ATTEMPTS):
                found = self.store.head(key)
                with self.store.get(key) as stored:
                    if stored.size != len(content) or stored.read() != content:
                        return False
                if self.store.delete_version(found):
                    break
            else:
                raise PathBusy("other writers keep replacing it; try again", driver=self.name, path=file)
            self._delete(below for below in self._keys(self._tree.folder(path)) if below != key)
        return True

    def _keys(self, folder: str) -> Iterator[str]:
        return (found.key for found in self.store.objects(folder))

    def _delete(self, keys: Iterable[str]) -> bool:
        """Deletes objects; whether there were any."""
        left, deleted = iter(keys), False
        while part := list(islice(left, DELETED_AT_ONCE)):
            self.store.delete(part)
            deleted = True
        return deleted

    def key(self, path: str) -> str:
        """The key of a file. Raises ``InvalidPath``."""
        return self._tree.key(path)

    def url_for(self, path: str) -> str | None:
        with self._tree.named_errors(path):
            return self.store.url_for(self._tree.key(path))

    def purge(self, folder: str, age: float) -> None:
        self.store.purge(self._tree.folder(folder), age)

    def probe(self) -> None:
        self.store.probe()
