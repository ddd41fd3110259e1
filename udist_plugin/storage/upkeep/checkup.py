"""Whether a store lets a registry do all it has to: a small tree is made, read, listed and deleted again."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from itertools import takewhile

from udist_plugin.drivers import further_steps
from udist_plugin.errors import PathNotFound, StorageError, UdistError
from udist_plugin.storage import paths
from udist_plugin.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from udist_plugin.drivers.base import StorageDriver

CONTENT = b"written by udist doctor, and safe to delete\n"
LISTED_WAIT, LISTED_PAUSE = 10.0, 0.1
"""Seconds that a listing may lag, and from one look to the next."""


class Step(NamedTuple):
    """What was tried, how many seconds it took, and why it failed, if it did."""

    name: str
    seconds: float
    error: UdistError | None = None


def check(driver: StorageDriver, *, writing: bool = True) -> Iterator[Step]:
    """Each step as it is done; the first that fails is the last. What was made is deleted again.

    Without ``writing`` nothing is made: the store is only looked at.
    """
    reached = _try(driver, "reach", driver.probe)
    yield reached
    if reached.error is not None or not writing:
        return
    folder = f"{paths.SCRATCH}/doctor-{os.urandom(8).hex()}"
    missing = _missing(driver, folder)
    try:
        for name, action in _tree(driver, folder):
            step = _try(driver, name, action)
            yield step
            if step.error is not None:
                break
    finally:
        with suppress(Exception):  # what is wrong was told by a step, and is not to be hidden by this one
            driver.delete(folder, durable=False)
        for above in missing:
            with suppress(Exception):
                driver.remove_if_empty(above)


def _missing(driver: StorageDriver, folder: str) -> list[str]:
    """The folders above that do not exist yet, the lowest first. If looking is denied, a step says so."""
    if driver.has_folders:
        with suppress(StorageError):
            return list(takewhile(lambda above: not driver.exists(above), _above(folder)))
    return []


def _above(path: str) -> Iterator[str]:
    """The folders above ``path``, the lowest first."""
    while path != "/":
        path = path.rpartition("/")[0] or "/"
        yield path


def _try(driver: StorageDriver, name: str, action: Callable[[], object]) -> Step:
    begun = time.monotonic()
    try:
        action()
    except UdistError as error:
        return Step(name, time.monotonic() - begun, error)
    except Exception as error:  # another package's driver may raise anything
        failed = StorageError(f"{type(error).__name__}: {error}", driver=driver.name)
        return Step(name, time.monotonic() - begun, failed)
    return Step(name, time.monotonic() - begun)


def _listed(driver: StorageDriver, folder: str) -> list[str]:
    try:
        return driver.list(folder)
    except PathNotFound:  # on an object store that does not list what is in it yet
        return []


def _tree(driver: StorageDriver, folder: str) -> Iterator[tuple[str, Callable[[], object]]]:
    small, upload, blob = f"{folder}/link", f"{folder}/upload/data", f"{folder}/blob/data"

    def append() -> None:
        with driver.writer(upload, append=True) as writer:
            writer.write(CONTENT)

    def commit() -> None:
        with driver.writer(upload, append=True) as writer:
            writer.commit(blob)

    def read() -> None:
        for path in (small, blob):
            if driver.get_content(path) != CONTENT:
                raise StorageError(
                    "the content read differs from the content written", driver=driver.name, path=path
                )

    def look() -> None:
        """Takes as long as the listing lags: on some services it does."""
        end = time.monotonic() + LISTED_WAIT
        while not {"link", "blob"} <= set(_listed(driver, folder)):
            if time.monotonic() >= end:
                problem = f"the files written are not listed {LISTED_WAIT:.0f} seconds later"
                raise StorageError(problem, driver=driver.name, path=folder)
            time.sleep(LISTED_PAUSE)

    def delete() -> None:
        driver.delete(folder)
        if driver.exists(small):
            raise StorageError("the file still exists after it was deleted", driver=driver.name, path=small)

    yield "write", lambda: driver.put_content(small, CONTENT)
    yield "upload", append
    yield "commit", commit
    yield "read", read
    yield "list", look
    yield from further_steps(driver, folder)
    yield "delete", delete
