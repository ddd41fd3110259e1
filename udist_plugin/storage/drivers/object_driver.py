"""A tree of files on an object store: a folder is what the keys below it have in common.

A file is an object. One that grows (``writer(append=True)``) is a *segment* object for each writer that
added to it, ``<path>/<offset>.segment``, made only where none stands: so two plugins cannot both write the
same bytes of it, any other goes on where one left off, and its commit is a join by the service itself.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from udist_plugin.errors import InvalidPath, PathBusy, PathNotFound, StorageError
from udist_plugin.storage import paths
from udist_plugin.storage.drivers.base import FileInfo, StorageDriver
from udist_plugin.storage.drivers.files import LOCK_WAIT
from udist_plugin.storage.drivers.object_files import AppendedObject, NewObject, Segments

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from udist_plugin.content import Content
    from udist_plugin.storage.drivers.base import FileWriter
    from udist_plugin.storage.drivers.object_store import ObjectStore, StoredObject

DELETED_AT_ONCE: Final = 1000
"""Keys of a folder held in memory while it is deleted."""
SUFFIX: Final = ".segment"


class ObjectDriver(StorageDriver):
    """The driver of ``store``; ``prefix``, empty or up to a slash, stands before every key.

    A service's driver is a subclass with ``name`` and ``from_parameters``.
    """

    lookups = 16
    has_folders = False

    def __init__(self, store: ObjectStore, prefix: str = "") -> None:
        self.store = store
        self.turns = Turns()
        self._prefix = prefix

    def put_content(self, path: str, content: bytes, *, durable: bool = True) -> None:  # noqa: ARG002
        with self.named_errors(path):
            self.store.put(self.key(path), content)

    def reader(self, path: str, start: int = 0, end: int | None = None) -> Content:
        with self.named_errors(path):
            return self.store.get(self.key(path), start, end)

    def writer(self, path: str, *, append: bool = False) -> FileWriter:
        return AppendedObject(self, path) if append else NewObject(self, path)

    def appended(self, path: str) -> Content:
        return Segments(self.store, self.segments(path))

    def stat(self, path: str) -> FileInfo:
        key, folder = self.key(path), self._folder(path)
        with self.named_errors(path):
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
        raise self._missing(path)

    def list(self, path: str) -> list[str]:
        with self.named_errors(path):
            names = list(self.store.names(self._folder(path)))
        if not names and path != "/":
            raise self._missing(path)
        return names

    def names(self, path: str, *, after: str = "") -> Iterator[str]:
        """One grouped listing: nothing below the names is walked."""
        found = False
        with self.named_errors(path):
            for name in self.store.names(self._folder(path), after=after):
                found = True
                yield name
        if not found and not self.exists(path):
            raise self._missing(path)

    def folders(self, path: str, holding: str, *, after: str = "") -> Iterator[str]:  # noqa: ARG002
        """To look into each would cost a request each, or a walk of everything: a folder of which a killed
        process made only a part is among them."""
        return self.names(path, after=after)

    def files(self, path: str, *, after: str = "") -> Iterator[str]:
        folder = self._folder(path)
        with self.named_errors(path):
            for found in self.store.objects(folder, after=f"{folder}{after}" if after else ""):
                yield found.key[len(folder) :]

    def move(self, source: str, destination: str) -> None:
        key, target = self.key(source), self.key(destination)
        with self.named_errors(source):
            found = self.store.head(key)
            if key != target:
                self.store.join([found], target)
                self.store.delete([key])

    def delete(self, path: str, *, durable: bool = True) -> None:  # noqa: ARG002
        key, folder = self.key(path), self._folder(path)
        if path == "/":
            raise InvalidPath("the root of the store is not deleted", driver=self.name, path=path)
        keys: list[str] = []
        deleted = False
        with self.named_errors(path):
            if self._stands(key):
                keys.append(key)
            for found in self.store.objects(folder):
                keys.append(found.key)
                if len(keys) == DELETED_AT_ONCE:
                    self.store.delete(keys)
                    keys, deleted = [], True
            if keys:
                self.store.delete(keys)
            elif not deleted:
                raise self._missing(path)

    def url_for(self, path: str) -> str | None:
        with self.named_errors(path):
            return self.store.url_for(self.key(path))

    def purge(self, age: float) -> None:
        """Below the registry alone: others may have uploads of their own in the bucket."""
        self.store.purge(self._folder(paths.ROOT), age)

    def probe(self) -> None:
        self.store.probe()

    def key(self, path: str) -> str:
        """The key of a file. Raises ``InvalidPath``."""
        return self._prefix + self.check_path(path)[1:]

    def segment_key(self, path: str, offset: int) -> str:
        """The key of what one writer added to a growing file; keys are in the order of the offsets."""
        return f"{self.key(path)}/{offset:020}{SUFFIX}"

    def segments(self, path: str) -> Sequence[StoredObject]:
        """What stands of a growing file, in order, as far as it is without a gap."""
        folder = self._folder(path)
        segments = []
        size = 0
        with self.named_errors(path):
            for found in self.store.objects(folder):
                if found.key == self.segment_key(path, size) and found.size:
                    segments.append(found)
                    size += found.size
        return segments

    @contextmanager
    def named_errors(self, path: str) -> Iterator[None]:
        """A key that is missing becomes the path that is."""
        try:
            yield
        except PathNotFound as error:
            if error.path == path:
                raise
            raise self._missing(path) from error

    def _folder(self, path: str) -> str:
        key = self.key(path)
        return key if path == "/" else f"{key}/"

    def _stands(self, key: str) -> bool:
        try:
            self.store.head(key)
        except PathNotFound:
            return False
        return True

    def _missing(self, path: str) -> StorageError:
        return PathNotFound("not found", driver=self.name, path=path)


class Turns:
    """One writer at a time for each growing file of this process. Between plugins the store decides: of two
    segments with one offset the second is refused."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._changed = threading.Condition()

    def take(self, path: str) -> None:
        """Waits its turn, ``LOCK_WAIT`` seconds at most. Raises ``PathBusy``."""
        with self._changed:
            if not self._changed.wait_for(lambda: path not in self._taken, LOCK_WAIT):
                raise PathBusy("another writer holds it", path=path)
            self._taken.add(path)

    def give_back(self, path: str) -> None:
        with self._changed:
            self._taken.discard(path)
            self._changed.notify_all()
