"""How a tree of files stands in flat keys."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from udist_plugin.drivers.base import check_path
from udist_plugin.errors import PathNotFound

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from udist_plugin.drivers.objects.store import ObjectStore, StoredObject
    from udist_plugin.errors import StorageError

SUFFIX: Final = ".segment"


class Tree:
    """Files in ``store``; ``prefix``, empty or up to a slash, stands before every key."""

    def __init__(self, store: ObjectStore, prefix: str = "") -> None:
        self.store = store
        self.name = store.name
        self._prefix = prefix

    def key(self, path: str) -> str:
        """The key of a file. Raises ``InvalidPath``."""
        return self._prefix + check_path(path, self.name)[1:]

    def folder(self, path: str) -> str:
        """What the keys of all that stands below ``path`` start with."""
        key = self.key(path)
        return key if path == "/" else f"{key}/"

    def segment_key(self, path: str, offset: int) -> str:
        """The key of what one writer added to a growing file; keys are in the order of the offsets."""
        return f"{self.key(path)}/{offset:020}{SUFFIX}"

    def segments(self, path: str) -> Sequence[StoredObject]:
        """What stands of a growing file, in order, as far as it is without a gap."""
        with self.named_errors(path):
            return self.segments_among(path, self.store.objects(self.folder(path)))

    def segments_among(self, path: str, objects: Iterable[StoredObject]) -> Sequence[StoredObject]:
        """As ``segments``, among objects in the order of their keys."""
        segments = []
        size = 0
        for found in objects:
            if found.key == self.segment_key(path, size) and found.size:
                segments.append(found)
                size += found.size
        while self.store.lists_late and (late := self._found(self.segment_key(path, size))) is not None:
            segments.append(late)
            size += late.size
        return segments

    def stands(self, key: str) -> bool:
        """Whether an object stands there."""
        return self._found(key) is not None

    def _found(self, key: str) -> StoredObject | None:
        try:
            return self.store.head(key)
        except PathNotFound:
            return None

    def copy(self, source: str, destination: str) -> bool:
        """Copies a file, replacing what stands at ``destination``; whether that is another file. Raises
        ``PathNotFound``."""
        key, target = self.key(source), self.key(destination)
        with self.named_errors(source):
            found = self.store.head(key)
            if key != target:
                self.store.join([found], target)
        return key != target

    def move(self, source: str, destination: str) -> None:
        """As ``copy``, and ``source`` is deleted."""
        if self.copy(source, destination):
            with self.named_errors(source):
                self.store.delete([self.key(source)])

    def missing(self, path: str) -> StorageError:
        """The error for a path where nothing stands."""
        return PathNotFound("not found", driver=self.name, path=path)

    @contextmanager
    def named_errors(self, path: str) -> Iterator[None]:
        """A key that is missing becomes the path that is."""
        try:
            yield
        except PathNotFound as error:
            if error.path == path:
                raise
            raise self.missing(path) from error
