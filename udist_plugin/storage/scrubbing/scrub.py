"""Reads a whole store, finds damage, and repairs what is safe to repair. Others may use it meanwhile.

First come all blobs, in the order of their digests, and then the repositories, in the order of their names.
``Position`` says how far that is, so that a run can go on where another ended. Nothing is remembered of what
is whole, so the memory that it takes does not depend on the store.
"""

from __future__ import annotations

from udist_plugin.errors import StorageError
from udist_plugin.storage import paths
from udist_plugin.storage.catalog import walk
from udist_plugin.storage.collection.notes import Notes
from udist_plugin.storage.collection.walk import check_repositories, failure, is_algorithm, is_hex, listed
from udist_plugin.storage.scrubbing.blobs import bring_back, check_blobs, check_quarantine, check_store
from udist_plugin.storage.scrubbing.damage import Damage
from udist_plugin.storage.scrubbing.repository import Checking
from udist_plugin.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from udist_plugin.drivers.base import StorageDriver
    from udist_plugin.storage.scrubbing.damage import Case


class Position(NamedTuple):
    """The last blob that was read, a digest, and then the last repository that was checked, a name."""

    blob: str = ""
    repository: str = ""


class Repair(NamedTuple):
    """What to repair; ``blobs`` are not repaired, but moved aside if they are damaged."""

    links: bool = False
    blobs: bool = False


START: Final = Position()
NOTHING: Final = Repair()


def scrub(
    driver: StorageDriver,
    *,
    repair: Repair = NOTHING,
    sparse: bool = False,
    after: Position = START,
    known: Iterable[Damage] = (),
    reached: Callable[[Position], object] = lambda _: None,
    read: Callable[[int], object] = lambda _: None,
) -> Iterator[Damage]:
    """What is damaged, each as it is found.

    ``after`` is where an earlier run ended, and ``known`` what it found. ``reached`` takes each position,
    and ``read`` how many more bytes were read. Raises ``StorageError`` if the store cannot be listed.
    """
    _check_mounts(driver)
    damaged = {_digest_of(each.path) for each in known if each.kind == "blob"}
    if repair.links or repair.blobs:
        Notes(driver).finish()
    if repair.blobs:
        check_store(driver)
        bring_back(driver, read)
    if not after.repository:
        for digest, case in check_blobs(driver, after.blob, read):
            if case:
                damaged.add(str(digest))
                yield _repaired(case, repair=repair.blobs)
            after = Position(digest)
            reached(after)
        for digest, case in check_quarantine(driver, read):
            if not driver.stands(paths.blob_data(digest)):
                damaged.add(str(digest))
            yield _repaired(case, repair=False)
    for name, entries in walk(driver):
        if name <= after.repository or not any(entry.startswith("_") for entry in entries):
            continue
        try:
            for case in Checking(driver, name, damaged, sparse=sparse).cases():
                yield _repaired(case, repair=repair.links)
        except StorageError as error:
            yield Damage("repository", error.path or f"{paths.REPOSITORIES}/{name}", str(error))
        after = Position(after.blob, name)
        reached(after)


def _check_mounts(driver: StorageDriver) -> None:
    """Raises ``StorageError`` if a whole part of the store is not there, such as a file system that is not
    mounted: all that leads there would look damaged."""
    check_repositories(driver)
    if driver.exists(paths.REPOSITORIES) and not driver.exists(paths.BLOBS):
        problem = "is missing, though there are repositories; mount it, or delete them too if no blob is left"
        raise failure(driver, problem, paths.BLOBS)
    if driver.has_folders:
        for algorithm in filter(is_algorithm, listed(driver, paths.BLOBS)):
            for first in filter(is_hex, listed(driver, f"{paths.BLOBS}/{algorithm}")):
                listed(driver, f"{paths.BLOBS}/{algorithm}/{first}")


def _repaired(case: Case, *, repair: bool) -> Damage:
    done = repair and case.repair is not None and case.repair()
    return case.damage._replace(repaired=done)


def _digest_of(path: str) -> str:
    """The digest of the blob whose data stands at ``path``, in its place or in quarantine."""
    *_, algorithm, _, encoded = path.removesuffix("/data").split("/")
    return f"{algorithm}:{encoded}"
