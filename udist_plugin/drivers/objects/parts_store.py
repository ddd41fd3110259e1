"""What Amazon S3 and services made after it have in common: ranges, lists by pages, copies in parts."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Final, Generic, NamedTuple

from udist_plugin.drivers.base import MemoryContent
from udist_plugin.drivers.objects.join import Join, plan
from udist_plugin.drivers.objects.limits import PART_MIN
from udist_plugin.drivers.objects.listing import names, objects
from udist_plugin.drivers.objects.parts import U
from udist_plugin.drivers.objects.store import ObjectStore
from udist_plugin.errors import InvalidOffset, PathNotFound, StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from udist_plugin.content import Content
    from udist_plugin.drivers.objects.join import Piece
    from udist_plugin.drivers.objects.listing import Page, Wanted
    from udist_plugin.drivers.objects.store import StoredObject

CONNECTIONS: Final = 64
"""Connections kept open for reuse."""


class Copying(NamedTuple):
    """Bytes of each part copied, about; bytes copied in one request, and parts copied at once, at most."""

    size: int
    threshold: int
    at_once: int


class PartsStore(ObjectStore, Generic[U]):
    """See ``ObjectStore``."""

    copying: Copying

    def get(self, key: str, start: int = 0, end: int | None = None) -> Content:
        if start >= 0 and (end is None or end > start):  # else no range can say it
            try:
                return self._open(key, start, end)
            except StorageError as error:
                if not self._is_beyond(error):
                    raise
        size = self.head(key).size
        if not 0 <= start <= size:
            raise InvalidOffset(f"offset {start} of {size} bytes", driver=self.name, path=key)
        return MemoryContent(memoryview(b""))

    def join(self, sources: Sequence[StoredObject], key: str) -> None:
        size = sum(source.size for source in sources)
        if len(sources) == 1 and size <= self.copying.threshold:
            self._copy(sources[0], key)
            return
        for source in sources:
            if not source.size and self.head(source.key).version != source.version:
                problem = "changed by another writer at the same time"
                raise PathNotFound(problem, driver=self.name, path=source.key)
        parts = plan(sources, self.copying.size)
        if size < PART_MIN:
            self.put(key, b"".join(self._read(piece) for part in parts for piece in part))
            return
        upload = self._upload(key)
        try:
            Join(upload, self._read).run(parts, min(self.copying.at_once, CONNECTIONS))
            upload.complete()
        except BaseException:
            upload.abort()
            raise

    def objects(self, prefix: str, *, after: str = "") -> Iterator[StoredObject]:
        return objects(self._page, prefix, after)

    def names(self, prefix: str, *, after: str = "", folders: bool = False) -> Iterator[str]:
        return names(self._page, prefix, after, folders=folders)

    def _read(self, piece: Piece) -> bytes:
        with self._open(piece.source.key, piece.start, piece.end, piece.source.version) as content:
            return content.read()

    @abstractmethod
    def _open(self, key: str, start: int, end: int | None, version: str = "") -> Content:
        """Raises ``PathNotFound`` when the object is not of that version."""

    @abstractmethod
    def _is_beyond(self, error: StorageError) -> bool:
        """Whether the service has no such range."""

    @abstractmethod
    def _copy(self, source: StoredObject, key: str) -> None:
        """Copies an object by one request. Raises ``PathNotFound`` when it is not of its version."""

    @abstractmethod
    def _upload(self, key: str, mark: str = "") -> U:
        """Starts an upload in parts."""

    @abstractmethod
    def _page(self, wanted: Wanted) -> Page:
        """Sends one request."""
