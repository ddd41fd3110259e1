"""The objects of a container of OpenStack Swift; a version is an ETag.

Swift takes no condition with a deletion, and of two that make a new object at once it may tell both that they
did: who did is whose mark stands there afterwards.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from udist_plugin.drivers.base import MemoryContent
from udist_plugin.drivers.objects.store import ObjectStore, StoredObject
from udist_plugin.drivers.swift.answers import NAME
from udist_plugin.drivers.swift.client import SwiftClient
from udist_plugin.drivers.swift.deletion import Deletion
from udist_plugin.drivers.swift.listing import grouped, listed
from udist_plugin.drivers.swift.probe import probe
from udist_plugin.drivers.swift.segments import sets
from udist_plugin.drivers.swift.temporary_urls import TemporaryUrls
from udist_plugin.drivers.swift.transfers import SwiftWriter, content, put
from udist_plugin.errors import InvalidOffset, PathNotFound
from udist_plugin.helpers import Helpers

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from udist_plugin.content import Content
    from udist_plugin.drivers.objects.store import ObjectWriter
    from udist_plugin.drivers.swift.settings import Settings

DELETED_AT_ONCE: Final = 16


class SwiftStore(ObjectStore):
    """See ``ObjectStore``. What large objects are made of is not among its objects."""

    name = NAME
    lists_late = True

    def __init__(self, settings: Settings) -> None:
        self.client = SwiftClient(settings)
        self._sets = sets(settings.root)
        self._deletion = Deletion(self.client)
        self._urls = TemporaryUrls(self.client)

    def head(self, key: str) -> StoredObject:
        return self.client.head(key)

    def get(self, key: str, start: int = 0, end: int | None = None) -> Content:
        empty = start < 0 or (end is not None and end <= start)  # what no range can say
        found = None if empty else content(self.client, key, start, end)
        if found is not None:
            return found
        size = self.head(key).size
        if not 0 <= start <= size:
            raise InvalidOffset(f"offset {start} of {size} bytes", driver=NAME, path=key)
        return MemoryContent(memoryview(b""))

    def put(self, key: str, content: bytes) -> None:
        put(self.client, key, content)

    def writer(self, key: str, *, mark: str = "") -> ObjectWriter:
        return SwiftWriter(self.client, key, mark)

    def join(self, sources: Sequence[StoredObject], key: str) -> None:
        """Small sources are brought here. Of others copies become segments, also of only one: a whole object
        that Swift copied of a large one does not match its own ETag, so it could never be copied again."""
        writer = SwiftWriter(self.client, key)
        try:
            for source in sources:
                writer.take(source)
            writer.commit()
        finally:
            writer.cancel()

    def objects(self, prefix: str, *, after: str = "") -> Iterator[StoredObject]:
        for found in listed(self.client, prefix, after):
            if not found.key.startswith(self._sets):
                yield found

    def names(self, prefix: str, *, after: str = "", folders: bool = False) -> Iterator[str]:
        """All are read first: by their keys ``a-b/`` comes before ``a/``."""
        keys = grouped(self.client, prefix, prefix + after if after else "")
        found = {key[len(prefix) :].rstrip("/") for key in keys if key.endswith("/") or not folders}
        yield from sorted(name for name in found if name > after)

    def delete(self, keys: Sequence[str]) -> None:
        """Each by itself, some at a time: what a large one is made of has to be looked up."""
        if len(keys) < 2:
            for key in keys:
                self._deletion.delete(key)
            return
        with Helpers(min(DELETED_AT_ONCE, len(keys)), "udist-swift") as pool:
            for _ in pool.map(self._deletion.delete, keys):
                pass

    def delete_version(self, found: StoredObject) -> bool:
        """What another has put there after the look is deleted as well."""
        with suppress(PathNotFound):
            if self.head(found.key).version != found.version:
                return False
            self._deletion.delete(found.key)
        return True

    def purge(self, prefix: str, age: float) -> None:
        self._deletion.purge(prefix, age)

    def url_for(self, key: str) -> str | None:
        return self._urls.sign(key)

    def probe(self) -> None:
        probe(self.client)
