"""What may be garbage, until a later run of the collector restores or deletes it.

/docker/registry/v2/udist/quarantine
├── clock                                     written to ask for the store's time
├── <…>.note                                  a deletion that is under way (see notes.py)
└── <run>                                     16 random hexadecimal digits
    ├── begun                                 written before the first file was moved here
    ├── closed                                written after the last: from here on the grace counts
    ├── <algorithm>/<first two of hex>/<hex>  a blob's data
    └── repositories/<name>/_manifests
        ├── revisions/<algorithm>/<hex>/link  a manifest's
        └── tags/<tag>/current/link           what a tag pointed at that was removed
"""

from __future__ import annotations

import os
import time
from contextlib import suppress

from udist_plugin.errors import PathNotFound
from udist_plugin.oci.digest import Digest
from udist_plugin.storage import paths
from udist_plugin.storage.collection.walk import (
    digests_below,
    files_below,
    is_link,
    remove_empty,
    revision_links,
)
from udist_plugin.typed import TYPE_CHECKING, Final, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from udist_plugin.drivers.base import StorageDriver
    from udist_plugin.storage.collection.walk import Revision

Found = TypeVar("Found")

RUN_MAX: Final = 3600.0
"""Seconds for which a run takes files, far below a grace: what is taken after another has closed it, thinking
it dead, would be due too early."""
BEGUN: Final = "begun"
CLOSED: Final = "closed"
_CLOCK: Final = f"{paths.QUARANTINE}/clock"
_NOTE: Final = b"written by udist gc\n"
_RUN_LENGTH: Final = 16
_REPOSITORIES: Final = paths.REPOSITORIES.removeprefix(f"{paths.ROOT}/")


class Entry(NamedTuple):
    """A file in quarantine; ``origin`` is the path where it belongs."""

    run: str
    origin: str

    @property
    def path(self) -> str:
        if self.origin.startswith(f"{paths.BLOBS}/"):
            return paths.quarantined(self.run, self.digest)
        return f"{paths.QUARANTINE}/{self.run}{self.origin.removeprefix(paths.ROOT)}"

    @property
    def is_link(self) -> bool:
        return self.origin.startswith(f"{paths.REPOSITORIES}/")

    @property
    def digest(self) -> Digest:
        """That of a blob, or of a manifest. Raises ``DigestInvalid`` for a tag's link."""
        *_, first, second, encoded, _ = self.origin.split("/")
        return Digest(f"{second if self.is_link else first}:{encoded}")


class Taking:
    """Moves what one collector finds, in as many runs as it takes; each begins with the first file."""

    def __init__(self, quarantine: Quarantine) -> None:
        self._quarantine = quarantine
        self._run = ""
        self._since = 0.0

    def take(self, origin: str) -> bool:
        """See ``Quarantine.take``."""
        taken = self._quarantine.take(Entry(self.run(), origin))
        if not taken:
            self._run = ""
        return taken

    def run(self) -> str:
        """The run that is open."""
        if self._run and time.monotonic() - self._since > RUN_MAX:
            self.close()
        if not self._run:
            self._since = time.monotonic()
            self._run = self._quarantine.begin()
        return self._run

    def close(self) -> None:
        """Everything that was taken waits for its grace from here on."""
        if self._run:
            self._quarantine.write(self._run, CLOSED)
            self._run = ""


class Quarantine:
    """What all runs of the collector have moved and not deleted yet."""

    def __init__(self, driver: StorageDriver) -> None:
        self._driver = driver

    def find(self, origin: str, look: Callable[[str], Found], *, restore: bool) -> Found:
        """What ``look`` finds at the path of a file that was not where it belongs a moment ago.

        Raises ``PathNotFound``. The file may move while it is looked for: each round that misses it, though
        it was there all the time, has seen a run move it, and a run moves a file once.
        """
        names = self._names()
        if restore and self._put_back(origin, names):
            return look(origin)
        runs = _runs_among(names)
        for _ in range(len(runs) + 1):
            for run in runs:
                with suppress(PathNotFound):
                    return look(self._reach(Entry(run, origin), restore=restore))
            with suppress(PathNotFound):
                return look(origin)
            runs = self.runs()
        raise PathNotFound("not found", driver=self._driver.name, path=origin)

    def runs(self) -> list[str]:
        """The names of all runs. What other programs put there stays."""
        return _runs_among(self._names())

    def entries(self, run: str) -> Iterator[Entry]:
        """The blobs of a run."""
        for digest in digests_below(self._driver, f"{paths.QUARANTINE}/{run}", ""):
            yield Entry(run, paths.blob_data(digest))

    def links(self, run: str) -> Iterator[Entry]:
        """The links of a run, of manifests and of tags."""
        above = f"{paths.QUARANTINE}/{run}"
        for path in files_below(self._driver, f"{above}/{_REPOSITORIES}"):
            if _is_link(path):
                yield Entry(run, f"{paths.ROOT}{path.removeprefix(above)}")

    def revision_links(self) -> Iterator[Revision]:
        """As the function of that name, of the manifests in all runs: the repositories are those in their
        place."""
        for run in self.runs():
            root = f"{paths.QUARANTINE}/{run}/{_REPOSITORIES}"
            for each in revision_links(self._driver, root):
                yield each._replace(repository=f"{paths.REPOSITORIES}{each.repository.removeprefix(root)}")

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

    def take(self, entry: Entry) -> bool:
        """Moves a file here. Raises ``PathNotFound``.

        Where a move is a copy and a deletion, nothing is deleted, and this is ``False``, if another has
        closed the run meanwhile: the copy may be gone before the deletion comes.
        """
        if self._driver.has_folders:
            self._driver.move(entry.origin, entry.path)
            if entry.is_link:
                self._driver.remove_if_empty(entry.origin.rpartition("/")[0])
            return True
        if entry.is_link:
            return self._take_link(entry)
        self._driver.copy(entry.origin, entry.path)
        return self._delete_taken(entry)

    def _take_link(self, entry: Entry) -> bool:
        from udist_plugin.storage.collection.notes import Notes

        taken = copied = False

        def take() -> bool:
            """Whether nothing is left: somebody deleted both, and may have pushed it again."""
            nonlocal taken, copied
            self._driver.copy(entry.origin, entry.path)
            taken = self._delete_taken(entry)
            copied = self._driver.stands(entry.path)
            return taken and not copied

        content = self._driver.get_content(entry.origin)
        deleted = Notes(self._driver).delete(entry.origin, content, take)
        return taken and (copied or deleted)

    def _delete_taken(self, entry: Entry) -> bool:
        """Whether the original was deleted, of which there is a copy here."""
        if self.stamp(entry.run, BEGUN) is None or self.stamp(entry.run, CLOSED) is not None:
            return False
        self._driver.delete(entry.origin)
        return True

    def restore(self, entry: Entry) -> None:
        """Puts a file back where it belongs. Raises ``PathNotFound``.

        Where a move is a copy and a deletion, the entry stays: a deletion that ``take`` sent, and that the
        network delivers late or twice, may still come. When the entry is dropped, a grace later, none can.
        That of a link stays everywhere, for who marks finds it in either place.
        """
        if entry.is_link:
            self._driver.put_content(entry.origin, self._driver.get_content(entry.path))
        elif self._driver.has_folders:
            self._driver.move(entry.path, entry.origin)
        else:
            self._driver.copy(entry.path, entry.origin)

    def drop(self, entry: Entry) -> None:
        """Deletes a file in quarantine. Raises ``PathNotFound``."""
        self._driver.delete(entry.path, durable=False)
        run = f"{paths.QUARANTINE}/{entry.run}"
        above = entry.path.rpartition("/")[0]
        while above != run and self._driver.remove_if_empty(above):
            above = above.rpartition("/")[0]

    def forget(self, origin: str) -> None:
        """Drops a file from all runs, so that nobody restores it."""
        for run in self.runs():
            with suppress(PathNotFound):
                self.drop(Entry(run, origin))

    def end(self, run: str) -> bool:
        """Forgets a run if it holds nothing any more but empty folders; whether it did."""
        if any(True for found in (self.entries(run), self.links(run)) for _ in found):
            return False
        folder = f"{paths.QUARANTINE}/{run}"
        for mark in (BEGUN, CLOSED):
            with suppress(PathNotFound):
                self._driver.delete(f"{folder}/{mark}", durable=False)
        remove_empty(self._driver, folder)
        return True

    def _names(self) -> list[str]:
        try:
            return self._driver.list(paths.QUARANTINE)
        except PathNotFound:
            return []

    def _put_back(self, origin: str, names: list[str]) -> bool:
        """Whether a file was put back that somebody deleted who was then killed."""
        if not any(name.endswith(paths.NOTE) for name in names):
            return False
        from udist_plugin.storage.collection.notes import Notes

        return Notes(self._driver).put_back(origin, names)

    def _reach(self, entry: Entry, *, restore: bool) -> str:
        """The path at which the entry's file can be read."""
        if not restore:
            return entry.path
        self.restore(entry)
        return entry.origin


def _is_run(name: str) -> bool:
    return len(name) == _RUN_LENGTH and not name.strip("0123456789abcdef")


def _is_link(path: str) -> bool:
    """Whether it is a manifest's link, or a tag's."""
    _, _, below = path.rpartition(f"/{paths.MANIFESTS}/")
    kind, _, rest = below.partition("/")
    return is_link(rest) if kind == "revisions" else kind == "tags" and rest.endswith(f"/{paths.CURRENT}")


def _runs_among(names: list[str]) -> list[str]:
    return sorted(filter(_is_run, names))
