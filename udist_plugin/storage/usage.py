"""What a store's repositories, tags and owners of leases cost: how many bytes each needs, and needs alone.

A blob is counted once for each, however many of its manifests refer to it. It is a row of a few arrays, with
60 bytes in all. The manifests of one repository are held at a time, with some 1.3 kB each, and its tags.
"""

from __future__ import annotations

from array import array
from contextlib import suppress
from itertools import chain

from udist_plugin.errors import PathNotFound
from udist_plugin.oci.digest import Digest
from udist_plugin.storage import paths
from udist_plugin.storage.collection.batches import looked_up
from udist_plugin.storage.collection.quarantine import Quarantine
from udist_plugin.storage.collection.reading import Reader
from udist_plugin.storage.collection.repository import load
from udist_plugin.storage.collection.walk import check_repositories, digests_below, repositories
from udist_plugin.storage.digest_rows import DigestRows
from udist_plugin.storage.leases import Leases
from udist_plugin.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from udist_plugin.drivers.base import StorageDriver
    from udist_plugin.storage.collection.repository import Repository

    Progress = Callable[[int], object]
    """Takes how many blobs have been looked at."""

_NOBODY: Final = 0
_SHARED: Final = 0xFFFFFFFF
"""Instead of a holder."""


class Cost(NamedTuple):
    """In bytes: ``size`` of all that something needs, ``alone`` of what nothing else of its kind does."""

    size: int
    alone: int


class RepositoryUsage(NamedTuple):
    """``tags`` has the costs by tag, that of all manifests without one under ``""``."""

    name: str
    cost: Cost
    tags: dict[str, Cost]


class Total(NamedTuple):
    """How many blobs, and their bytes."""

    blobs: int
    size: int


class Usage(NamedTuple):
    """What ``usage`` finds. What an owner needs alone is what nobody needs any more after a release.

    ``blobs`` are all that stand in their place: those that a repository needs alone, those that are
    ``shared`` by several, and those that are ``unreferenced``. What is in quarantine comes on top.
    """

    repositories: list[RepositoryUsage]
    owners: dict[str, Cost]
    blobs: Total
    shared: Total
    unreferenced: Total
    quarantine: Total


def usage(driver: StorageDriver, progress: Progress = lambda _: None) -> Usage:
    """Raises ``StorageError`` for a link or manifest that cannot be read."""
    check_repositories(driver)
    table = _Table(driver, progress)
    accounts = _Accounts(table.sizes, driver)
    for name in sorted(repositories(driver)):
        reader = _Noting(driver, table)
        accounts.add(load(reader, name), reader.rows)
    return accounts.usage(_quarantined(driver))


class _Table:
    """A row for each blob: ``sizes`` by row, and the row of a digest."""

    def __init__(self, driver: StorageDriver, progress: Progress) -> None:
        self.sizes = array("Q")
        self._rows = DigestRows()

        def look(digest: Digest) -> tuple[Digest, int] | None:
            with suppress(PathNotFound):  # deleted meanwhile
                return digest, driver.stat(paths.blob_data(digest)).size
            return None

        digests = digests_below(driver, paths.BLOBS, "/data")
        for batch in looked_up(driver, look, digests):
            for digest, size in filter(None, batch):
                if self._rows.add(digest):
                    self.sizes.append(size)
            progress(len(self.sizes))

    def rows(self, digests: Iterable[Digest]) -> array[int]:
        """Those of blobs that stand in the store."""
        found = (self._rows.get(digest) for digest in digests)
        return array("I", [row for row in found if row is not None])


class _Noting(Reader):
    """Notes which blobs each manifest of a repository needs, by the digest in its link's path."""

    def __init__(self, driver: StorageDriver, table: _Table) -> None:
        super().__init__(driver)
        self.rows: dict[Digest, array[int]] = {}
        self._table = table
        self._seen: dict[Digest, Digest] = {}

    def link(self, path: str) -> Digest | None:
        """Links with one digest share it: there may be many tags."""
        found = super().link(path)
        return found and self._seen.setdefault(found, found)

    def manifest(self, target: Digest, link: str) -> bytes | None:
        content = super().manifest(target, link)
        if content is not None:
            repository = link.partition(f"/{paths.MANIFESTS}/")[0]
            blobs, _ = self.blobs(repository, content, target)
            *_, algorithm, encoded, _ = link.split("/")
            digest = Digest(f"{algorithm}:{encoded}")
            self.rows[self._seen.get(digest, digest)] = self._table.rows(blobs | {target})
        return content


class _Holders:
    """Those of one kind that need blobs, such as tags. All blobs of one are added before those of another."""

    def __init__(self, sizes: array[int]) -> None:
        self._sizes = sizes
        self._last = array("I", bytes(4 * len(sizes)))
        self._only = array("I", bytes(4 * len(sizes)))
        self._totals = array("Q", [0])

    def new(self) -> int:
        self._totals.append(0)
        return len(self._totals) - 1

    def add(self, holder: int, rows: Iterable[int]) -> None:
        for row in rows:
            if self._last[row] != holder:
                self._only[row] = _SHARED if self._last[row] else holder
                self._last[row] = holder
                self._totals[holder] += self._sizes[row]

    def costs(self) -> list[Cost]:
        """By holder."""
        alone = array("Q", bytes(8 * len(self._totals)))
        for row, holder in enumerate(self._only):
            if holder != _SHARED:
                alone[holder] += self._sizes[row]
        return [Cost(*each) for each in zip(self._totals, alone, strict=True)]

    def only(self, holder: int) -> Total:
        """What it needs alone, or ``_SHARED`` ones share, or ``_NOBODY`` needs."""
        size = sum(self._sizes[row] for row, each in enumerate(self._only) if each == holder)
        return Total(self._only.count(holder), size)


class _Accounts:
    """Who needs what, repository by repository."""

    def __init__(self, sizes: array[int], driver: StorageDriver) -> None:
        self._sizes = sizes
        self._repositories, self._tags, self._owners = (_Holders(sizes) for _ in range(3))
        self._nobody = self._owners.new()
        self._found: list[tuple[str, int, dict[str, int]]] = []
        self._leases: dict[str, list[tuple[array[int], Digest | str, Digest]]] = {}
        self._owned: dict[str, array[int]] = {}
        for (owner, name, target), digest in Leases(driver).pinned():
            owned = self._owned.setdefault(owner, array("I"))
            self._leases.setdefault(name, []).append((owned, target, digest))

    def add(self, repository: Repository, rows: Mapping[Digest, array[int]]) -> None:
        holder = self._repositories.new()
        self._repositories.add(holder, chain.from_iterable(rows.values()))
        tags: dict[str, int] = {}
        self._found.append((repository.name, holder, tags))
        referrers = repository.referrers()

        def needed(digest: Digest) -> Iterator[int]:
            return chain.from_iterable(rows[each] for each in repository.belonging([digest], referrers))

        leases = self._leases.pop(repository.name, [])
        leased = {(target, digest) for _, target, digest in leases}
        for tag, digest in repository.leading():
            tags[tag] = self._tags.new()
            self._tags.add(tags[tag], needed(digest))
            if (tag, digest) not in leased:  # or it is not what was leased, and stays
                self._owners.add(self._nobody, needed(digest))
        if untagged := repository.untagged():
            tags[""] = self._tags.new()
            self._tags.add(tags[""], chain.from_iterable(rows[each] for each in untagged))
            kept = repository.belonging(digest for _, digest in leased)
            self._owners.add(self._nobody, chain.from_iterable(rows[each] for each in untagged - kept))
        for owned, _, digest in leases:
            owned.extend(set(needed(digest)))

    def usage(self, quarantine: Total) -> Usage:
        holders = {owner: self._owners.new() for owner in sorted(self._owned)}
        for owner, holder in holders.items():
            self._owners.add(holder, self._owned.pop(owner))
        by_repository, by_tag, by_owner = (
            holders.costs() for holders in (self._repositories, self._tags, self._owners)
        )
        return Usage(
            [
                RepositoryUsage(
                    name, by_repository[holder], {tag: by_tag[each] for tag, each in tags.items()}
                )
                for name, holder, tags in self._found
            ],
            {owner: by_owner[holder] for owner, holder in holders.items()},
            Total(len(self._sizes), sum(self._sizes)),
            self._repositories.only(_SHARED),
            self._repositories.only(_NOBODY),
            quarantine,
        )


def _quarantined(driver: StorageDriver) -> Total:
    quarantine = Quarantine(driver)
    count = size = 0
    for entry in (entry for run in quarantine.runs() for entry in quarantine.entries(run)):
        with suppress(PathNotFound):
            size += driver.stat(entry.path).size
            count += 1
    return Total(count, size)
