"""Files of ``ObjectDriver`` being written, and one that grows being read."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from udist_plugin.content import Content
from udist_plugin.errors import PathBusy, PathNotFound
from udist_plugin.storage.drivers.base import FileWriter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from udist_plugin.storage.drivers.object_driver import ObjectDriver
    from udist_plugin.storage.drivers.object_store import ObjectStore, ObjectWriter, StoredObject


class NewObject(FileWriter):
    """A file of any size whose parts are sent while it is written."""

    def __init__(self, driver: ObjectDriver, path: str) -> None:
        self.size = 0
        self._driver = driver
        self._path = path
        self._writer = driver.store.writer(driver.key(path))

    def write(self, data: bytes | memoryview) -> None:
        self._writer.write(data)
        self.size = self._writer.size

    def commit(self, path: str | None = None) -> None:
        target = None if path is None else self._driver.key(path)
        self._writer.commit()
        if path is not None and target != self._driver.key(self._path):
            self._driver.move(self._path, path)

    def cancel(self) -> None:
        self._writer.cancel()

    def close(self) -> None:
        self._writer.cancel()


class AppendedObject(FileWriter):
    """A growing file: what this writer adds becomes a segment when it is closed.

    An error there means that nothing of it was added, and ``size`` says so.
    """

    def __init__(self, driver: ObjectDriver, path: str) -> None:
        self._driver = driver
        self._path = path
        self._writer: ObjectWriter | None = None
        self._mark = ""
        self._open = True
        driver.key(path)  # checks it
        driver.turns.take(path)
        try:
            self._segments = [*driver.segments(path)]
        except BaseException:
            self._let_go()
            raise
        self.size = self._stored

    def write(self, data: bytes | memoryview) -> None:
        if not data:
            return
        try:
            if self._writer is None:
                self._mark = os.urandom(16).hex()
                self._writer = self._driver.store.writer(self._next_key, mark=self._mark)
            self._writer.write(data)
        except BaseException:
            self._drop()
            raise
        self.size += len(data)

    def commit(self, path: str | None = None) -> None:
        store, key = self._driver.store, self._driver.key(path or self._path)
        try:
            self._add()
            with self._driver.named_errors(self._path):
                if self._segments:
                    store.join(self._segments, key)
                else:
                    store.put(key, b"")
                store.delete([segment.key for segment in self._segments])
        finally:
            self._drop()
            self._let_go()

    def cancel(self) -> None:
        self._drop()
        try:
            self._driver.store.delete([segment.key for segment in self._segments])
        finally:
            self._let_go()

    def close(self) -> None:
        try:
            if self._open:
                self._add()
        finally:
            self._drop()
            self._let_go()

    @property
    def _stored(self) -> int:
        return sum(segment.size for segment in self._segments)

    @property
    def _next_key(self) -> str:
        return self._driver.segment_key(self._path, self._stored)

    def _add(self) -> None:
        """Makes what was written a segment. Raises ``PathBusy`` when another plugin wrote one there."""
        if self._writer is not None:
            try:
                self._writer.commit()
            except PathBusy:
                if not self._is_made():
                    raise
                self._writer.cancel()
            self._writer = None
            self._segments.append(self._driver.store.head(self._next_key))

    def _is_made(self) -> bool:
        """Whether the segment that stands there is this writer's: the answer was lost, not the request."""
        try:
            return self._driver.store.head(self._next_key).mark == self._mark
        except PathNotFound:
            return False

    def _drop(self) -> None:
        if self._writer is not None:
            self._writer.cancel()
            self._writer = None
        self.size = self._stored

    def _let_go(self) -> None:
        if self._open:
            self._open = False
            self._driver.turns.give_back(self._path)


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
            raise PathNotFound("changed by another meanwhile", driver=self._store.name, path=segment.key)
        return content
