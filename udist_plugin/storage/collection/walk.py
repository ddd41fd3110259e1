"""What stands in a store, found by listing it.

Who decides what is garbage must not take a folder that could not be listed for an empty one. What can be no
registry's by its name is skipped: operating systems and network drives leave such files and folders anywhere.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from functools import partial

from udist_plugin.drivers.base import LETTERS
from udist_plugin.errors import DigestInvalid, InvalidPath, PathNotFound, StorageError
from udist_plugin.oci.digest import HEX_LENGTHS, Digest
from udist_plugin.storage import paths
from udist_plugin.storage.stretches import Stretch, in_stretches
from udist_plugin.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from udist_plugin.drivers.base import StorageDriver

ATTEMPTS: Final = 3
"""How often a folder is listed that others delete and make again meanwhile."""
REVISIONS: Final = f"/{paths.MANIFESTS}/revisions"
"""Where they are in a repository."""
_PROVEN: Final = "sha256"
"""The digests that a link's MD5 is compared with."""
_SIZE: Final = 32
_DIGITS: Final = frozenset("0123456789")
_HEX: Final = _DIGITS | frozenset("abcdef")
_ALGORITHM: Final = _DIGITS | frozenset("abcdefghijklmnopqrstuvwxyz")


class Revision(NamedTuple):
    """A manifest's link, by its path and that of its repository; ``holds`` is its content, if a list told."""

    repository: str
    link: str
    holds: Digest | None = None


def revision_links(driver: StorageDriver, root: str = paths.REPOSITORIES) -> Iterator[Revision]:
    """The revisions of every repository, where a link stands or stood.

    Raises ``StorageError`` for a folder that stands there and cannot be listed.
    """
    if driver.has_folders:
        for repository in _repositories(driver, root):
            yield from _revisions_of(driver, repository)
        return
    for path, md5 in driver.files_with_md5(root):  # from end to end: some services lose files after a skip
        name, found, rest = path.partition(f"{REVISIONS}/")
        if found and is_link(rest) and _is_canonical(name):
            yield Revision(f"{root}/{name}", f"{root}/{path}", _proven(rest, md5))


def revisions(driver: StorageDriver) -> dict[str, Callable[[], Iterator[Revision]]]:
    """The repositories, by their paths, each with its revisions, as ``revision_links``; where there are real
    folders these are listed when they are asked for."""
    if driver.has_folders:
        found = _repositories(driver, paths.REPOSITORIES)
        return {path: partial(_revisions_of, driver, path) for path in found}
    packed: dict[str, _Packed] = {}
    for revision in revision_links(driver):
        packed.setdefault(revision.repository, _Packed(revision.repository)).add(revision)
    return {path: each.revisions for path, each in packed.items()}


class _Packed:
    """The revisions of a repository in little memory."""

    def __init__(self, repository: str) -> None:
        self._repository = repository
        self._raw = bytearray()
        self._others: list[Revision] = []

    def add(self, revision: Revision) -> None:
        if revision.holds is None:
            self._others.append(revision)
        else:
            self._raw += revision.holds.raw

    def revisions(self) -> Iterator[Revision]:
        yield from self._others
        for start in range(0, len(self._raw), _SIZE):
            encoded = self._raw[start : start + _SIZE].hex()
            link = f"{self._repository}{REVISIONS}/{_PROVEN}/{encoded}/link"
            yield Revision(self._repository, link, Digest(f"{_PROVEN}:{encoded}"))


def _proven(path: str, md5: str) -> Digest | None:
    """What a link holds, if by its MD5 it is the digest in its path."""
    import hashlib

    algorithm, _, encoded = path.removesuffix("/link").partition("/")
    if algorithm != _PROVEN or not md5:
        return None
    with suppress(DigestInvalid):
        digest = Digest(f"{algorithm}:{encoded}")
        if hashlib.md5(digest.encode(), usedforsecurity=False).hexdigest() == md5:
            return digest
    return None


def _revisions_of(driver: StorageDriver, repository: str) -> Iterator[Revision]:
    for link in links_in(driver, f"{repository}{REVISIONS}"):
        yield Revision(repository, link)


def links_in(driver: StorageDriver, folder: str) -> Iterator[str]:
    """The paths of all ``<algorithm>/<hex>/link`` in a folder, where one stands or stood.

    Raises ``StorageError`` as ``listed``.
    """
    for algorithm in filter(is_algorithm, listed(driver, folder)):
        for encoded in filter(is_hex, listed(driver, f"{folder}/{algorithm}")):
            yield f"{folder}/{algorithm}/{encoded}/link"


def is_link(path: str) -> bool:
    """Whether it is ``<algorithm>/<hex>/link``."""
    algorithm, _, rest = path.partition("/")
    return rest.endswith("/link") and is_algorithm(algorithm) and is_hex(rest.removesuffix("/link"))


def is_algorithm(name: str) -> bool:
    """Whether it can be a digest's algorithm, known or not."""
    return bool(name) and _ALGORITHM.issuperset(name)


def is_hex(name: str) -> bool:
    """Whether it can be a digest's encoded part, or the beginning of one."""
    return bool(name) and _HEX.issuperset(name)


def check_repositories(driver: StorageDriver) -> None:
    """Raises ``StorageError`` if the store has blobs, but nothing in which a repository could be: a file
    system that is not mounted looks like that."""
    if driver.exists(paths.BLOBS) and not driver.exists(paths.REPOSITORIES):
        problem = "is missing, though there are blobs; mount it, or delete them too if no repository is left"
        raise failure(driver, problem, paths.REPOSITORIES)


@contextmanager
def staying(driver: StorageDriver) -> Iterator[None]:
    """Raises ``StorageError`` at its end if the store is gone by then, unmounted or moved: everything in it
    looks as if it had just been deleted. Buckets do not disappear like that."""
    stood = driver.has_folders and _has_content(driver)
    yield
    if stood and not _has_content(driver):
        raise failure(driver, "is gone, but was there when the run began; run it again", paths.ROOT)


def _has_content(driver: StorageDriver) -> bool:
    return driver.exists(paths.REPOSITORIES) or driver.exists(paths.BLOBS)


def failure(driver: StorageDriver, problem: str, path: str) -> StorageError:
    """What cannot be read, and what to do."""
    return StorageError(problem, driver=driver.name, path=path)


def listed(driver: StorageDriver, folder: str) -> list[str]:
    """The names in a folder; none if it was deleted, or is a file.

    Raises ``StorageError`` if the folder above still has it: a symbolic link or a mount that leads nowhere
    is not empty.
    """
    above, _, name = folder.rpartition("/")
    for _ in range(ATTEMPTS):
        try:
            return driver.list(folder)
        except (PathNotFound, InvalidPath):
            if folder == paths.ROOT or name not in listed(driver, above) or is_file(driver, folder):
                return []
    raise _not_listed(driver, folder)


def names_in(driver: StorageDriver, folder: str) -> list[str]:
    """The names in a folder; none if it is gone, or a file."""
    try:
        return driver.list(folder)
    except (PathNotFound, InvalidPath):
        return []


def repositories(driver: StorageDriver) -> Iterator[str]:
    """The names of all repositories, each once: the paths below ``REPOSITORIES`` of what holds manifests.

    Raises ``StorageError`` as ``revision_links``.
    """
    if driver.has_folders:
        found = _repositories(driver, paths.REPOSITORIES)
        yield from (path.removeprefix(f"{paths.REPOSITORIES}/") for path in found)
        return
    for names in in_stretches(driver, paths.REPOSITORIES, partial(_names_in, driver=driver)):
        yield from names


def _names_in(stretch: Stretch, driver: StorageDriver) -> list[str]:
    found: dict[str, None] = {}
    for path in stretch.files(driver, paths.REPOSITORIES, (paths.LAYERS, paths.MANIFESTS, paths.UPLOADS)):
        name, holds, _ = path.partition(f"/{paths.MANIFESTS}/")
        if holds and name not in found and _is_canonical(name):
            found[name] = None
    return list(found)


def remove_empty(driver: StorageDriver, folder: str) -> None:
    """Removes folders that hold nothing, from the innermost outwards."""
    if driver.has_folders:
        with suppress(StorageError):
            for name in driver.list(folder):
                remove_empty(driver, f"{folder}/{name}")
            driver.remove_if_empty(folder)


def files_below(driver: StorageDriver, folder: str) -> Iterator[str]:
    """The paths of all files below a folder, in no order. Raises ``StorageError`` as ``listed``."""
    if not driver.has_folders:
        yield from (f"{folder}/{path}" for path in driver.files(folder) if _is_canonical(path))
        return
    found = [folder]
    while found:
        path = found.pop()
        try:
            names = driver.list(path)
        except (InvalidPath, PathNotFound):
            if is_file(driver, path):
                yield path
                continue
            names = listed(driver, path)  # another may have made it again
        found += [f"{path}/{name}" for name in names if LETTERS.issuperset(name)]


def digests_below(
    driver: StorageDriver,
    folder: str,
    file: str,
    names: Callable[[str], Iterable[str]] | None = None,
) -> Iterator[Digest]:
    """The digests of ``<algorithm>/<first two of hex>/<hex>`` and then ``file`` below a folder, in order.

    Where there are real folders, only those whose ``names`` are told of the folder that they are in.
    """
    names = names or partial(names_in, driver)
    for path in _folders(driver, folder, names) if driver.has_folders else _files(driver, folder, file):
        algorithm, _, rest = path.partition("/")
        first, _, encoded = rest.partition("/")
        if encoded.startswith(first):
            with suppress(DigestInvalid):
                yield Digest(f"{algorithm}:{encoded}")


def _folders(driver: StorageDriver, folder: str, names: Callable[[str], Iterable[str]]) -> Iterator[str]:
    """Where there are real folders, without a look whether ``file`` stands in the last of them."""
    for algorithm in HEX_LENGTHS:
        for first in sorted(filter(is_hex, names_in(driver, f"{folder}/{algorithm}"))):
            for encoded in sorted(names(f"{folder}/{algorithm}/{first}")):
                yield f"{algorithm}/{first}/{encoded}"


def _files(driver: StorageDriver, folder: str, file: str) -> Iterator[str]:
    return (path.removesuffix(file) for path in driver.files(folder) if path.endswith(file))


def _repositories(driver: StorageDriver, root: str) -> Iterator[str]:
    """Every folder that holds manifests, also one whose name no registry would serve."""
    folders = [root]
    while folders:
        folder = folders.pop()
        for name in listed(driver, folder):
            if name == paths.MANIFESTS:
                yield folder
            elif not name.startswith("_") and LETTERS.issuperset(name):
                folders.append(f"{folder}/{name}")


def _not_listed(driver: StorageDriver, folder: str) -> StorageError:
    return failure(driver, "cannot be listed, though it exists; repair or delete it", folder)


def is_file(driver: StorageDriver, path: str) -> bool:
    """Whether a file stands there."""
    try:
        return not driver.stat(path).is_folder
    except (PathNotFound, InvalidPath):
        return False


def _is_canonical(path: str) -> bool:
    """Whether all names in it can be in a driver's paths."""
    return all(name.strip(".") and LETTERS.issuperset(name) for name in path.split("/"))
