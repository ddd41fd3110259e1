"""Removes uploads that nobody goes on with, and files that a killed process left in the scratch folder."""

from __future__ import annotations

import time

from udist_plugin.errors import PathNotFound, StorageError
from udist_plugin.storage import paths
from udist_plugin.storage.catalog import is_name, walk
from udist_plugin.storage.collection.notes import Notes
from udist_plugin.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from udist_plugin.drivers.base import StorageDriver


class Purged(NamedTuple):
    """The paths that were purged, and what could not be."""

    paths: list[str]
    errors: list[StorageError]


def purge_uploads(driver: StorageDriver, age: float, *, dry_run: bool = False) -> Purged:
    """Removes every upload begun more than ``age`` seconds ago, scratch files not written to since, and what
    the store keeps of files never committed. Finishes the deletions that ``Notes`` knows of.

    One that cannot be read or removed is reported and does not keep the others; ``dry_run`` only looks.
    """
    oldest = time.time() - age
    purged = Purged([], [])
    for path in _candidates(driver, purged.errors):
        try:
            if _begun(driver, path) < oldest:
                if not dry_run:
                    driver.delete(path, durable=False)
                purged.paths.append(path)
        except PathNotFound:
            continue  # committed, cancelled or purged by another at the same time
        except StorageError as error:
            purged.errors.append(error)
    if not dry_run:
        try:
            Notes(driver).finish()
            driver.purge(paths.ROOT, age)  # others may have uploads of their own in the bucket
        except StorageError as error:
            purged.errors.append(error)
    return purged


def _candidates(driver: StorageDriver, errors: list[StorageError]) -> Iterator[str]:
    yield from _inside(driver, paths.SCRATCH, paths.is_scratch, errors)
    if not driver.has_folders:
        yield from _walked_over(driver)
        return
    for name, entries in walk(driver):
        if paths.UPLOADS in entries:
            yield from _inside(driver, paths.uploads(name), paths.is_upload_id, errors)


def _walked_over(driver: StorageDriver) -> Iterator[str]:
    """Every upload, where a look into each repository is a request, and one tells of a thousand files."""
    from udist_plugin.storage.stretches import Stretch

    last = ""
    for path in Stretch().files(driver, paths.REPOSITORIES, (paths.LAYERS, paths.MANIFESTS)):
        name, _, rest = path.partition(f"/{paths.UPLOADS}/")
        upload_id = rest.partition("/")[0]
        upload = f"{paths.REPOSITORIES}/{name}/{paths.UPLOADS}/{upload_id}"
        if upload != last and paths.is_upload_id(upload_id) and is_name(name):
            last = upload
            yield upload


def _inside(
    driver: StorageDriver, folder: str, is_ours: Callable[[str], bool], errors: list[StorageError]
) -> Iterator[str]:
    """What other programs put there stays."""
    try:
        names = driver.list(folder)
    except PathNotFound:
        return
    except StorageError as error:
        errors.append(error)
        return
    yield from (f"{folder}/{name}" for name in names if is_ours(name))


def _begun(driver: StorageDriver, path: str) -> float:
    """When an upload began, in seconds since 1970: what ``startedat`` says, else when it last changed."""
    from datetime import datetime

    try:
        return datetime.fromisoformat(driver.get_content(f"{path}/startedat", 64).decode("ascii")).timestamp()
    except (StorageError, ValueError, OverflowError):  # none, a scratch file, or broken
        return driver.stat(path).modified
