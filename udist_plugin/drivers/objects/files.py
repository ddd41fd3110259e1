"""Files of ``ObjectDriver`` being written, and one that grows being read."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from udist_plugin.content import Content
from udist_plugin.drivers.base import FileWriter, Growing
from udist_plugin.drivers.growing import GrowingWriter
from udist_plugin.errors import PathBusy, PathNotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from udist_plugin.drivers.base import StorageDriver
    from udist_plugin.drivers.growing import Turns
    from udist_plugin.drivers.objects.store import ObjectStore, ObjectWriter, StoredObject
    from udist_plugin.drivers.objects.tree import Tree


class NewObject(FileWriter):
    """A file of any size whose parts are sent while it is written."""

    def __init__(self, tree: Tree, path: str) -> None:
        self.size = 0
        self._tree = tree
        self._path = path
        self._writer = tree.store.writer(tree.key(path))

    def write(self, data: bytes | memoryview) -> None:
        self._writer.write(data)
        self.size = self._writer.size

    def commit(self, path: str | None = None) -> None:
        target = None if path is None else self._tree.key(path)
        self._writer.commit()
        if path is not None and target != self._tree.key(self._path):
            self._tree.move(self._path, path)

    def cancel(self) -> None:
        self._writer.cancel()

    def close(self) -> None:
        self._writer.cancel()


class AppendedObject(GrowingWriter["StoredObject", "ObjectWriter"]):
    """One whose segments are objects beside each other."""

    def __init__(
        self, tree: Tree, turns: Turns, path: str, seen: Sequence[StoredObject] | None = None
    ) -> None:
        self._tree = tree
        self._mark = ""
        tree.key(path)  # checks it
        super().__init__(turns, path, seen)

    @property
    def version(self) -> str:
        return _version(self._segments)

    @property
    def _next_key(self) -> str:
        return self._tree.segment_key(self._path, self._stored)

    def _found(self) -> Sequence[StoredObject]:
        return self._tree.segments(self._path)

    def _begun(self) -> ObjectWriter:
        self._mark = os.urandom(16).hex()
        return self._tree.store.writer(self._next_key, mark=self._mark)

    def _published(self, added: ObjectWriter) -> StoredObject:
        """Neither a refusal nor a success is taken at its word, but the mark of the segment that stands
        there. After a lost answer the refusal may be about our own, and the success about another's."""
        refusal: PathBusy | None = None
        try:
            added.commit()
        except PathBusy as error:
            refusal = error
        segment = self._made()
        if segment is None:
            raise refusal or PathBusy("another writer was first", driver=self._tree.name, path=self._path)
        added.cancel()
        return segment

    def _made(self) -> StoredObject | None:
        """The segment that stands there, if it is this writer's."""
        try:
            found = self._tree.store.head(self._next_key)
        except PathNotFound:
            return None
        return found if found.mark == self._mark else None

    def _join(self, path: str) -> None:
        store, key = self._tree.store, self._tree.key(path)
        with self._tree.named_errors(self._path):
            if self._segments:
                store.join(self._segments, key)
            else:
                store.put(key, b"")
            self._delete()

    def _delete(self) -> None:
        self._tree.store.delete([segment.key for segment in self._segments])


class GrowingObject(Growing):
    """One of which all ``found`` in its folder is known. If that is out of date, a writer is told so by the
    store when it commits, and what others have added is left for purging to find."""

    def __init__(
        self, driver: StorageDriver, tree: Tree, turns: Turns, path: str, found: Sequence[StoredObject]
    ) -> None:
        self._segments = tree.segments_among(path, found)
        size = sum(segment.size for segment in self._segments)
        super().__init__(driver, path, size, _version(self._segments))
        self._tree = tree
        self._turns = turns
        self._found = found

    def writer(self) -> FileWriter:
        return AppendedObject(self._tree, self._turns, self._path, self._segments)

    def drop(self) -> None:
        with self._tree.named_errors(self._path):
            self._tree.store.delete([each.key for each in self._found])


def _version(segments: Sequence[StoredObject]) -> str:
    """One for all of them. Of two writers that put a segment in one place, Swift may tell both that they were
    first."""
    from hashlib import sha256

    versions = "\n".join(segment.version for segment in segments)
    return sha256(versions.encode()).hexdigest() if versions else ""


class Segments(Content):
    """The segments of a growing file, one after the other, each of the version it had when listed."""

    def __init__(self, store: ObjectStore, segments: Sequence[StoredObject]) -> None:
        self.size = sum(segment.size for segment in segments)
        self._store = store
        self._left = list(reversed(segments))
        self._content: Content | None = None

    def read(self, size: int = -1) -> bytes:
        if size < 0:
            return b"".join(iter(lambda: self.read(1 << 20), b""))
        while size and self.size:
            if self._content is None:
                self._content = self._next()
            if data := self._content.read(size):
                self.size -= len(data)
                return data
            self.close()
        return b""

    def close(self) -> None:
        if self._content is not None:
            self._content.close()
            self._content = None

    def _next(self) -> Content:
        segment = self._left.pop()
        content = self._store.get(segment.key)
        if content.size != segment.size:
            content.close()
            raise PathNotFound(
                "changed by another writer at the same time", driver=self._store.name, path=segment.key
            )
        return content
