"""Which repositories a store was found to have: for stores where to look into each is a request, and to walk
all that is in them are thousands.

The names in a folder cost a request for each thousand, so a repository that is new there, or gone, is seen at
once. Only in a repository that had none below it nobody looks for others. Who pushes to one there leaves word
of it under ``NEWS``; one that a stock server makes is found when the index is too old: then everything is
walked anew. As all that stands under ``OWN``, the index can be lost.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress

from udist_plugin.errors import StorageError
from udist_plugin.storage import paths
from udist_plugin.storage.cache import Cache
from udist_plugin.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from udist_plugin.drivers.base import StorageDriver

TRUSTED: Final = 3600.0
"""Seconds after which everything is walked anew."""
INDEX_MAX: Final = 64 << 20
"""A larger index is not read, in bytes: some million repositories."""
NOTED: Final = 1024
"""Repositories of which is kept that word of them was left, or need not be."""
WORD: Final = "/_new"


class Found(NamedTuple):
    """What a walk begun at ``time``, in seconds since 1970, found: by the names of repositories and of what
    is above them, what a list of the folder would hold that matters."""

    time: float
    names: Sequence[str]
    entries: dict[str, tuple[str, ...]]

    @classmethod
    def of(cls, begun: float, names: Sequence[str]) -> Found:
        entries: dict[str, tuple[str, ...]] = {}
        for name in names:
            entries[name] = (paths.MANIFESTS, *entries.get(name, ()))
            while "/" in name:
                name, _, below = name.rpartition("/")
                entries[name] = (*(each for each in entries.get(name, ()) if each == paths.MANIFESTS), below)
        return cls(begun, names, entries)


NOTHING: Final = Found(0.0, (), {})


class CatalogIndex:
    """The index as it stands in the store, held in memory while it is trusted."""

    def __init__(self, driver: StorageDriver, *, save: bool) -> None:
        self._driver = driver
        self._save = save
        self._found = NOTHING
        self._noted: Cache[str, bool] = Cache(NOTED)
        self._walking = threading.Lock()

    def entries(self, name: str) -> tuple[str, ...] | None:
        """Of what stands in a folder: what makes it a repository, and one that is below it; ``None`` when no
        repository was found there."""
        return self._found.entries.get(name)

    def note(self, name: str) -> None:
        """Leaves word of a repository that was pushed to, where nobody would look for it."""
        if "/" not in name or self._noted.get(name):
            return
        with suppress(StorageError):  # the push stands; the next one leaves word
            if any(self._driver.exists(paths.manifests(above)) for above in _above(name)):
                self._driver.put_content(f"{paths.NEWS}/{name}{WORD}", b"", durable=False)
            self._noted.put(name, True)

    def load(self) -> None:
        """Reads the index, unless it is in memory, and what word there is; what cannot be trusted is
        forgotten."""
        if not _is_fresh(self._found):
            self._found = self._stored()
        news = [name for name in self._news() if name not in self._found.entries]
        if news and self._found is not NOTHING:
            self._found = Found.of(self._found.time, [*self._found.names, *news])

    def _stored(self) -> Found:
        found = NOTHING
        with suppress(StorageError, ValueError):
            content = self._driver.get_content(paths.CATALOG, INDEX_MAX).decode("ascii")
            begun, *names = content.splitlines()
            found = Found.of(float(begun), names)
        return found if _is_fresh(found) else NOTHING

    def _news(self) -> Iterator[str]:
        with suppress(StorageError):
            for path in self._driver.files(paths.NEWS):
                if path.endswith(WORD):
                    yield path.removesuffix(WORD)

    def refresh(self) -> None:
        """Walks everything, unless the index is fresh or another is at it."""
        from udist_plugin.storage.collection.walk import repositories

        if _is_fresh(self._found) or not self._walking.acquire(blocking=False):
            return
        try:
            begun = time.time()
            news = list(self._news())
            names = list(repositories(self._driver))
            self._found = Found.of(begun, names)
            if self._save:
                content = "\n".join([str(begun), *names])
                with suppress(StorageError):  # the answer does not depend on it
                    self._driver.put_content(paths.CATALOG, content.encode("ascii"), durable=False)
                    for name in news:  # whose repositories stood before the walk
                        self._driver.delete(f"{paths.NEWS}/{name}{WORD}", durable=False)
        finally:
            self._walking.release()


def _above(name: str) -> Iterator[str]:
    """The names of what a repository stands below, if they are repositories."""
    while "/" in name:
        name = name.rpartition("/")[0]
        yield name


def _is_fresh(found: Found) -> bool:
    return abs(time.time() - found.time) < TRUSTED
