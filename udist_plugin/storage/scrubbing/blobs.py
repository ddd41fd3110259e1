"""Reads all blobs, and sets those aside whose content is not what their digest says.

/docker/registry/v2/udist/damaged/<algorithm>/<first two of hex>/<hex>

Without its data a blob counts as missing, so that a client that has it pushes it again. It must not go to the
collector's quarantine, where whoever looks for it would find and restore it.
"""

from __future__ import annotations

from contextlib import suppress
from itertools import dropwhile

from udist_plugin.errors import PathNotFound, StorageError
from udist_plugin.storage import paths
from udist_plugin.storage.collection.notes import Notes
from udist_plugin.storage.collection.quarantine import Quarantine
from udist_plugin.storage.collection.walk import digests_below
from udist_plugin.storage.data import digest_at, digest_of
from udist_plugin.storage.scrubbing.damage import Case, Damage
from udist_plugin.storage.scrubbing.reading import read_each
from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from udist_plugin.content import Content
    from udist_plugin.drivers.base import StorageDriver
    from udist_plugin.oci.digest import Digest

READINGS: Final = 2
"""How often a blob is read before it counts as damaged."""
UNCOMPARED: Final = (
    "damaged blobs cannot be moved aside (--aside): the service deletes an object whatever its version, so a "
    "blob that is pushed meanwhile could be lost; end all pushes, and delete it with the service's own tools"
)
SET_ASIDE: Final = "move it aside, so that it can be pushed again"


def check_store(driver: StorageDriver) -> None:
    """Raises ``StorageError`` if no blob can be set aside beside pushes."""
    if not driver.has_folders and not driver.compares(paths.SCRATCH):
        raise StorageError(UNCOMPARED, driver=driver.name)


def check_blobs(
    driver: StorageDriver, after: str, read: Callable[[int], object]
) -> Iterator[tuple[Digest, Case | None]]:
    """Every blob behind ``after``, a digest, in order. ``read`` takes how many bytes were read."""
    digests = digests_below(driver, paths.BLOBS, "/data")
    behind = dropwhile(lambda digest: digest <= after, digests) if after else digests

    def look(
        digest: Digest, read: Callable[[int], object], content: Content | None
    ) -> tuple[Digest, Case | None]:
        path = paths.blob_data(digest)
        with suppress(StorageError):
            if content and digest_of(content, digest, read) == digest:
                return digest, None
        if not (problem := damage_of(driver, path, digest, read)):
            return digest, None
        return digest, Case(
            Damage("blob", path, problem, SET_ASIDE), lambda: _set_aside(driver, digest, read)
        )

    return read_each(driver, look, behind, read)


def check_quarantine(driver: StorageDriver, read: Callable[[int], object]) -> Iterator[tuple[Digest, Case]]:
    """The damaged blobs in the collector's quarantine, which may be restored."""
    quarantine = Quarantine(driver)
    for entry in (entry for run in quarantine.runs() for entry in quarantine.entries(run)):
        if problem := damage_of(driver, entry.path, entry.digest, read):
            yield entry.digest, Case(Damage("blob", entry.path, problem))


def damage_of(driver: StorageDriver, path: str, digest: Digest, read: Callable[[int], object]) -> str:
    """What is wrong with the data at ``path``, if anything; nothing if it was deleted meanwhile."""
    problem = ""
    for _ in range(READINGS):
        try:
            if digest_at(driver, path, digest, read) == digest:
                return ""
            problem = "holds other content than its digest says"
        except PathNotFound:
            return ""
        except StorageError as error:
            problem = f"cannot be read: {error}"
    return problem


def bring_back(driver: StorageDriver, read: Callable[[int], object]) -> None:
    """Moves good data back that a repair, killed since, moved aside when it had just been pushed again."""
    for digest in digests_below(driver, paths.DAMAGED, ""):
        with suppress(PathNotFound):
            if not driver.stands(paths.blob_data(digest)):
                _bring_back(driver, digest, read)


def _bring_back(driver: StorageDriver, digest: Digest, read: Callable[[int], object]) -> bool:
    """Whether what was moved aside is good."""
    if damage_of(driver, paths.damaged(digest), digest, read):
        return False
    driver.move(paths.damaged(digest), paths.blob_data(digest))
    return True


def _set_aside(driver: StorageDriver, digest: Digest, read: Callable[[int], object]) -> bool:
    """Whether it was. What a push puts there meanwhile stays: where a move is a copy and a deletion, the
    store deletes only what was copied, and elsewhere it is moved back."""
    path, aside = paths.blob_data(digest), paths.damaged(digest)

    def is_good() -> bool:
        return not damage_of(driver, aside, digest, read)

    def move() -> bool:
        if not damage_of(driver, path, digest, read):
            return False
        driver.move(path, aside)
        return True

    try:
        if not driver.has_folders:
            moved = driver.move_if(path, aside, lambda: not is_good())
            if not moved:
                driver.delete(aside)
            return moved
        with suppress(PathNotFound):  # what an earlier repair left is not what this one moves
            driver.delete(aside)
        return Notes(driver).delete(path, b"", move, is_good)
    except PathNotFound:  # deleted by another
        return False
