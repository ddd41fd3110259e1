"""Finds garbage, and deletes it in two runs that are a grace apart. Readers and writers go on meanwhile.

A run does, in this order:

1. It *lists* what is due: the blobs in quarantine of runs that were closed a grace ago or longer.
2. It *pauses* if there are any.
3. It *marks* what the manifests refer to.
4. It *settles* what is due: what is marked goes back to its place, the rest is deleted, in quarantine.
5. It *takes* every blob that is not marked, and has not changed for a grace, into a quarantine of its own.

Why no image that udist acknowledged loses a blob, whatever clocks say:

- Data is removed from its place only by 5, which moves it to quarantine, and from quarantine only by 4. udist
  finds it in either (``Quarantine.find``), so only a deletion by 4 can lose it.
  What a pull-through cache drops goes the same way: see ``proxy/expiry.py``.
- Let a run delete a blob X that an acknowledged manifest M refers to. The mark did not see M, so M was linked
  after the mark began, and X was in quarantine before, even before the pause. Pushing M, udist looked at X,
  and a look restores it. If it looked after the listing, X stands in its place since, and only another run
  can take it, into a quarantine that was not listed: then its copy that is deleted does not matter. So it
  looked before the listing, and M was linked more than a pause later.
- Then the push looks once more after the link stands (``ValidatingRegistry``: whenever the push took longer
  than ``LOOK_HOLDS``, which is half of the pause). If X is gone by then, the push fails, and nothing was
  acknowledged. If not, the look restores it, and of any run that takes it again the settling run marks after
  that, and sees M. The same holds for M's own bytes.

In a bucket, where a move is a copy and then a deletion, this takes one thing more: a collector is not held
up between the two while the store's clock goes on by a grace. It looks there whether another run has taken
it for dead and closed its quarantine, and then deletes nothing. Nor may the network deliver a deletion a
second time after the grace (``Quarantine.restore``), so there the clock must not jump.

Beside stock servers, which cannot look into quarantine: a stock server acknowledges M only while X stands in
its place. If it is taken after the server looked, the mark that settles it begins a grace later. By then M is
linked, unless the push took as long as the grace, so X is restored. It needs a store's clock that does
not jump. Not covered are servers that do not look: with a descriptor cache, or without validation.

What is remembered of earlier runs (``Memory``) changes none of this:

- On a file system, a run that has anything to delete trusts none of it: it reads every link and manifest,
  and ends at one that is damaged.
- The other runs read no manifest again, as what it refers to follows from its bytes. That a folder of links
  has not changed they believe of a file system's times, which might deceive. Such a mark may miss M, and its
  run may take X. But the run that settles X reads every link, so it sees M, as it has to above.
- In a bucket, where reading is slow and a list tells all links, every run remembers manifests. One that is
  damaged or lost, and was read before, does not end the run: what it referred to is known, and stays.

A run can be killed anywhere: a move leaves the data in its place, in quarantine, or in both. The next run
closes a quarantine that was left open once it is a grace old, and goes on from there. Before it looks at
anything, it puts back the links that were pushed again just as a run or a repair deleted them that was killed
then (``notes.py``): so its mark sees them. Several runs at the same time only do some work twice: each takes
blobs into a quarantine of its own, and what one has deleted or restored the other misses.
"""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from functools import partial

from udist_plugin.errors import ConfigurationError, PathNotFound, StorageError
from udist_plugin.registry import LOOK_HOLDS
from udist_plugin.storage import paths
from udist_plugin.storage.collection.candidates import candidates
from udist_plugin.storage.collection.mark import mark
from udist_plugin.storage.collection.memory import Memory
from udist_plugin.storage.collection.notes import Notes
from udist_plugin.storage.collection.quarantine import BEGUN, CLOSED, Quarantine, Taking
from udist_plugin.storage.collection.retention import Retention
from udist_plugin.storage.collection.step import Step, counted
from udist_plugin.storage.collection.tidy import Tidying, restore_links
from udist_plugin.storage.collection.walk import check_repositories, staying
from udist_plugin.storage.data import digest_at
from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

    from udist_plugin.drivers.base import StorageDriver
    from udist_plugin.oci.digest import Digest
    from udist_plugin.storage.collection.mark import Marked
    from udist_plugin.storage.collection.quarantine import Entry
    from udist_plugin.storage.collection.step import Progress

GRACE: Final = 24 * 3600.0
"""Seconds that a file spends in quarantine at least."""
PAUSE: Final = 2 * LOOK_HOLDS
"""Seconds between listing and marking."""


def collect(
    driver: StorageDriver,
    *,
    apply: bool = False,
    grace: float = GRACE,
    retention: Retention | None = None,
    progress: Progress = lambda *_: None,
    pause: Callable[[float], object] = time.sleep,
    forget: Callable[[Digest], object] = lambda _: None,
    note: Callable[[str], object] = lambda _: None,
) -> Generator[Step]:
    """Each step as it is done, or without ``apply`` as it would be: then nothing is written. Tags and
    manifests come first.

    ``grace`` is in seconds, at least ``GRACE``; ``forget`` is told of each blob that is gone, ``note``
    of memory that is damaged. Raises ``StorageError`` before the first step if a link or a manifest cannot be
    read. Who stops between two steps closes the generator: then the run is closed, and the next one does the
    rest.
    """
    if not grace >= GRACE:
        raise ConfigurationError(f"expected at least {GRACE:.0f} seconds", key="grace")
    retention = retention or Retention()
    apply = apply and not retention.dry_run
    quarantine = Quarantine(driver)
    now = quarantine.time() if apply else time.time()
    before = now - grace
    if apply:
        Notes(driver).finish(before)
    due, waiting = _runs(quarantine, before, close=apply)
    blobs = [entry for run in due for entry in quarantine.entries(run)]
    taking = Taking(quarantine)
    tidying = Tidying(driver, taking, retention, apply=apply, progress=progress)
    tidying.look(due, waiting)
    deletes = bool(blobs or tidying.has_due)
    if apply and deletes:
        pause(PAUSE)
    memory = Memory(driver, save=apply, trust=not (deletes and driver.has_folders), note=note)
    with _nothing_changed(), staying(driver):
        tidying.plan(now, before)
        marked = mark(driver, partial(progress, "manifests read"), tidying.ending, memory)
        if driver.has_folders:
            check_repositories(driver)
    with _closed_if_stopped(taking), staying(driver):
        yield from counted(tidying.run(), progress, "manifests and tags settled")
        for entry in counted(blobs, progress, "blobs in quarantine settled"):
            for step in _settle(driver, quarantine, entry, marked, apply=apply):
                if apply and step.action == "delete":
                    forget(step.digest)
                yield step
        if apply:
            for run in due:
                quarantine.end(run)
        for entry in (entry for run in waiting for entry in quarantine.entries(run)):
            with suppress(PathNotFound):
                yield Step("wait", entry.digest, driver.stat(entry.path).size)
        found = counted(candidates(driver, marked, memory), progress, "unreferenced blobs checked")
        yield from _take(driver, taking, before, found, apply=apply)
    taking.close()


def undo(driver: StorageDriver, progress: Progress = lambda *_: None) -> Generator[Step]:
    """Restores everything that is in quarantine; each blob, and then each manifest and tag, as it is done."""
    quarantine = Quarantine(driver)
    Notes(driver).finish()
    blobs = (entry for run in quarantine.runs() for entry in quarantine.entries(run))
    for entry in counted(blobs, progress, "blobs in quarantine settled"):
        with suppress(PathNotFound):
            size = driver.stat(entry.path).size
            if _restore(driver, quarantine, entry, size):
                yield Step("restore", entry.digest, size)
    yield from counted(restore_links(driver, quarantine), progress, "manifests and tags settled")
    if driver.has_folders:
        for run in quarantine.runs():
            quarantine.end(run)


@contextmanager
def _nothing_changed() -> Iterator[None]:
    """Errors in it say so."""
    try:
        yield
    except StorageError as error:
        error.args = (f"{error} (nothing was changed)",)
        raise


@contextmanager
def _closed_if_stopped(taking: Taking) -> Iterator[None]:
    """Whoever is stopped in it has moved nothing after this."""
    try:
        yield
    except (GeneratorExit, KeyboardInterrupt):
        taking.close()
        raise


def _runs(quarantine: Quarantine, before: float, *, close: bool) -> tuple[list[str], list[str]]:
    """The runs whose files are due, and the others."""
    due: list[str] = []
    waiting: list[str] = []
    for run in quarantine.runs():
        closed = quarantine.stamp(run, CLOSED)
        (waiting if closed is None or closed > before else due).append(run)
        if close and closed is None:
            _close(quarantine, run, before)
    return due, waiting


def _close(quarantine: Quarantine, run: str, before: float) -> None:
    """Closes a run that was killed, if it is so old that it cannot be under way."""
    begun = quarantine.stamp(run, BEGUN)
    if begun is None:
        if not quarantine.end(run):
            quarantine.write(run, BEGUN)
    elif begun <= before:
        quarantine.write(run, CLOSED)


def _settle(
    driver: StorageDriver, quarantine: Quarantine, entry: Entry, marked: Marked, *, apply: bool
) -> Iterator[Step]:
    with suppress(PathNotFound):  # done by another
        size = driver.stat(entry.path).size
        if entry.digest not in marked:
            if apply:
                quarantine.drop(entry)
                driver.remove_if_empty(paths.blob_data(entry.digest).rpartition("/")[0])
            yield Step("delete", entry.digest, size)
            return
        restored = not _stands(driver, entry, size)
        if apply:
            _restore(driver, quarantine, entry, size)
            with suppress(PathNotFound):  # moved back
                quarantine.drop(entry)
        if restored:
            yield Step("restore", entry.digest, size)


def _restore(driver: StorageDriver, quarantine: Quarantine, entry: Entry, size: int) -> bool:
    """Whether it had to be."""
    if _stands(driver, entry, size):
        return False
    quarantine.restore(entry)
    return True


def _stands(driver: StorageDriver, entry: Entry, size: int) -> bool:
    """Whether the data is where it belongs. If the sizes differ, a server's crash cut one of the two short,
    and only what is whole replaces the other."""
    try:
        if driver.stat(entry.origin).size == size:
            return True
    except PathNotFound:
        return False
    return digest_at(driver, entry.path, entry.digest) != entry.digest


def _take(
    driver: StorageDriver, taking: Taking, before: float, unmarked: Iterable[Digest], *, apply: bool
) -> Iterator[Step]:
    for digest in unmarked:
        with suppress(PathNotFound):
            found = driver.stat(paths.blob_data(digest))
            if found.modified > before:
                yield Step("keep", digest, found.size)
            elif not apply or taking.take(paths.blob_data(digest)):
                yield Step("quarantine", digest, found.size)
