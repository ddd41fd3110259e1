"""The repositories of a store, found by walking its folders."""

from __future__ import annotations

from heapq import heappop, heappush

from udist_plugin.errors import InvalidPath, NameInvalid, PathNotFound
from udist_plugin.oci.reference import check_name
from udist_plugin.registry import Page
from udist_plugin.storage import paths
from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from udist_plugin.drivers.base import StorageDriver
    from udist_plugin.storage.catalog_index import CatalogIndex

    Look = Callable[[str], Sequence[str]]
    """The names of what stands in a folder below ``REPOSITORIES``."""

LOOKS: Final = 64
"""Folders that a page is worth looking into one by one, where a walk of everything spares it."""


class Catalog:
    """Lists repositories. ``save`` is off for a store that must not be written to."""

    def __init__(self, driver: StorageDriver, *, save: bool = True) -> None:
        self._driver = driver
        self._index: CatalogIndex | None = None
        if not driver.has_folders:
            from udist_plugin.storage.catalog_index import CatalogIndex

            self._index = CatalogIndex(driver, save=save)

    def list(self, limit: int | None = None, last: str = "") -> Page[str]:
        """Repositories with manifests, in lexical order; only what can matter is looked into."""
        found: list[str] = []
        for name, entries in _walk(self._driver, "", last, self._look()):
            if paths.MANIFESTS not in entries:
                continue
            if len(found) == limit:
                return Page(found, found[-1] if found else last)
            found.append(name)
        return Page(found)

    def pushed(self, name: str) -> None:
        """A manifest of the repository was pushed here."""
        if self._index is not None:
            self._index.note(name)

    def _look(self) -> Look:
        index = self._index
        if index is None:
            return lambda name: _entries(self._driver, name)
        looks = 0

        def look(name: str) -> Sequence[str]:
            nonlocal looks
            if (known := index.entries(name)) is None:
                looks += 1
                if looks == LOOKS:
                    index.refresh()
                    known = index.entries(name)
            return _entries(self._driver, name) if known is None else known

        index.load()
        return look


def walk(driver: StorageDriver) -> Iterator[tuple[str, Sequence[str]]]:
    """Every folder that can be a repository, by name in lexical order, with the names in it."""
    return _walk(driver, "", "", lambda name: _entries(driver, name))


def _walk(
    driver: StorageDriver, prefix: str, last: str, look: Look, entries: Sequence[str] = ()
) -> Iterator[tuple[str, Sequence[str]]]:
    """Folders of which neither they nor what is below them comes after ``last`` are left out. ``entries`` are
    the names below ``prefix``, if all are known."""
    inside: dict[str, Sequence[str]] = {}
    for place in _places(prefix, sorted(entries) or _names(driver, prefix, last)):
        name = place.removesuffix("/")
        if (place <= last and not (place != name and last.startswith(place))) or not is_name(name):
            continue
        if name not in inside:
            inside[name] = look(name)
        if place == name:
            yield name, inside[name]
            continue
        below = [entry for entry in inside.pop(name) if not entry.startswith("_")]
        if below:
            yield from _walk(driver, place, last, look, below if driver.has_folders else ())


def _places(prefix: str, entries: Iterable[str]) -> Iterator[str]:
    """The names in order, and where, with a slash, what is below them comes: ``a-b`` is before ``a/b``."""
    below: list[str] = []
    for entry in entries:
        name = f"{prefix}{entry}"
        while below and below[0] < name:
            yield heappop(below)
        yield name
        heappush(below, f"{name}/")
    yield from sorted(below)


def _names(driver: StorageDriver, prefix: str, last: str) -> Iterator[str]:
    """The names in a folder, without those of which nothing can come after ``last``."""
    after = ""
    if last.startswith(prefix):
        # "a/b" comes after "a-b": of what stands before a "-" or a "." the content may be still to come.
        first = last[len(prefix) :].partition("/")[0]
        after = first.partition("-")[0].partition(".")[0][:-1]
    try:
        for name in driver.names(f"{paths.REPOSITORIES}/{prefix}".removesuffix("/"), after=after):
            if not name.startswith("_"):
                yield name
    except (PathNotFound, InvalidPath):  # deleted meanwhile, or a file
        return


def _entries(driver: StorageDriver, name: str) -> Sequence[str]:
    try:
        return driver.list(f"{paths.REPOSITORIES}/{name}")
    except (PathNotFound, InvalidPath):
        return ()


def is_name(text: str) -> bool:
    """Whether it can be a repository's."""
    try:
        check_name(text)
    except NameInvalid:
        return False
    return True
