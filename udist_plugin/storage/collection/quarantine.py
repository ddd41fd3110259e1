"""Blobs that may be garbage, until a later run of the collector restores or deletes them.

/docker/registry/v2/udist/quarantine
├── clock                                     written to ask for the store's time
└── <run>                                     16 random hexadecimal digits
    ├── begun                                 written before the first blob was moved here
    ├── closed                                written after the last: from here on the grace counts
    └── <algorithm>/<first two of hex>/<hex>  a blob's data
"""

from __future__ import annotations

import os
import time
from contextlib import suppress

from udist_plugin.errors import PathNotFound
from udist_plugin.oci.digest import HEX_LENGTHS
from udist_plugin.storage import paths
from udist_plugin.storage.collection.walk import digests_below
from udist_plugin.typed import TYPE_CHECKING, Final, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from udist_plugin.drivers.base import StorageDriver
    from udist_plugin.oci.digest import Digest

Found = TypeVar("Found")

RUN_MAX: Final = 3600.0
"""Seconds for which a run takes blobs, far below a grace: what is taken after another has closed it, thinking
it dead, would be due too early."""
BEGUN: Final = "begun"
CLOSED: Final = "closed"
_CLOCK: Final = f"{paths.QUARANTINE}/clock"
_NOTE: Final = b"written by udist gc\n"
_RUN_LENGTH: Final = 16


class Entry(NamedTuple):
    """A blob in quarantine."""

    run: str
    digest: Digest

    @property
    def path(self) -> str:
        return paths.quarantined(self.run, self.digest)


class Taking:
    """Moves what one collector finds, in as many runs as it takes; each begins with the first blob."""

    def __init__(self, quarantine: Quarantine) -> None:
        self._quarantine = quarantine
        self._run = ""
        self._since = 0.0

    def take(self, digest: Digest) -> bool:
        """See ``Quarantine.take``."""
        if self._run and time.monotonic() - self._since > RUN_MAX:
            self.close()
        if not self._run:
            self._since = time.monotonic()
            self._run = self._quarantine.begin()
        taken = self._quarantine.take(self._run, digest)
        if not taken:
            self._run = ""
        return taken

    def close(self) -> None:
        """Everything that was taken waits for its grace from here on."""
        if self._run:
            self._quarantine.write(self._run, CLOSED)
            self._run = ""


class Quarantine:
    """What all runs of the collector have moved and not deleted yet."""

    def __init__(self, driver: StorageDriver) -> None:
        self._driver = driver

    def find(self, digest: Digest, look: Callable[[str], Found], *, restore: bool) -> Found:
        """What ``look`` finds at the path of data that was not where it belongs a moment ago.

        Raises ``PathNotFound``. The data may move while it is looked for: each round that misses it, though
        it was there all the time, has seen a run move it, and a run moves a blob once.
        """
        runs = self.runs()
        for _ in range(len(runs) + 1):
            for run in runs:
                with suppress(PathNotFound):
                    return look(self._reach(Entry(run, digest), restore=restore))
            with suppress(PathNotFound):
                return look(paths.blob_data(digest))
            runs = self.runs()
        raise PathNotFound("not found", driver=self._driver.name, path=paths.blob_data(digest))

    def runs(self) -> list[str]:
        """The names of all runs. What other programs put there stays."""
        try:
            names = self._driver.list(paths.QUARANTINE)
        except PathNotFound:
            return []
        return sorted(
            name for name in names if len(name) == _RUN_LENGTH and not name.strip("0123456789abcdef")
        )

    def entries(self, run: str) -> Iterator[Entry]:
        for digest in digests_below(self._driver, f"{paths.QUARANTINE}/{run}", ""):
            yield Entry(run, digest)

    def time(self) -> float:
        """The store's time, in seconds since 1970, for which a small file is written."""
        self._driver.put_content(_CLOCK, _NOTE, durable=False)
        return self._driver.stat(_CLOCK).modified

    def stamp(self, run: str, mark: str) -> float | None:
        """When the store took a run's ``BEGUN`` or ``CLOSED``."""
        try:
            return self._driver.stat(f"{paths.QUARANTINE}/{run}/{mark}").modified
        except PathNotFound:
            return None

    def begin(self) -> str:
        """Begins a run and returns its name."""
        run = os.urandom(_RUN_LENGTH // 2).hex()
        self.write(run, BEGUN)
        return run

    def write(self, run: str, mark: str) -> None:
        """Notes that a run began or ended now."""
        self._driver.put_content(f"{paths.QUARANTINE}/{run}/{mark}", _NOTE)

    def take(self, run: str, digest: Digest) -> bool:
        """Moves a blob's data here. Raises ``PathNotFound``.

        Where a move is a copy and a deletion, nothing is deleted, and this is ``False``, if another has
        closed the run meanwhile: the copy may be gone before the deletion comes.
        """
        if self._driver.has_folders:
            self._driver.move(paths.blob_data(digest), paths.quarantined(run, digest))
            return True
        self._driver.copy(paths.blob_data(digest), paths.quarantined(run, digest))
        if self.stamp(run, BEGUN) is None or self.stamp(run, CLOSED) is not None:
            return False
        self._driver.delete(paths.blob_data(digest))
        return True

    def restore(self, entry: Entry) -> None:
        """Puts data back where it belongs. Raises ``PathNotFound``.

        Where a move is a copy and a deletion, the entry stays: a deletion that ``take`` sent, and that the
        network delivers late or twice, may still come. When the entry is dropped, a grace later, none can.
        """
        if self._driver.has_folders:
            self._driver.move(entry.path, paths.blob_data(entry.digest))
        else:
            self._driver.copy(entry.path, paths.blob_data(entry.digest))

    def drop(self, entry: Entry) -> None:
        """Deletes data in quarantine. Raises ``PathNotFound``."""
        self._driver.delete(entry.path, durable=False)
        self._driver.remove_if_empty(entry.path.rpartition("/")[0])

    def end(self, run: str) -> None:
        """Forgets a run if it has no blobs any more."""
        if next(self.entries(run), None) is not None:
            return
        folder = f"{paths.QUARANTINE}/{run}"
        for mark in (BEGUN, CLOSED):
            with suppress(PathNotFound):
                self._driver.delete(f"{folder}/{mark}", durable=False)
        for algorithm in HEX_LENGTHS:
            self._driver.remove_if_empty(f"{folder}/{algorithm}")
        self._driver.remove_if_empty(folder)

    def _reach(self, entry: Entry, *, restore: bool) -> str:
        """The path at which the entry's data can be read."""
        if not restore:
            return entry.path
        self.restore(entry)
        return paths.blob_data(entry.digest)
