"""Long lists of stores without real folders: in stretches that are asked for at the same time, and without
most of what is not wanted."""

from __future__ import annotations

from udist_plugin.errors import PathNotFound
from udist_plugin.typed import TYPE_CHECKING, Final, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from udist_plugin.drivers.base import StorageDriver

STRETCHES: Final = 8
"""How many are listed at once: each page takes its time, most of it elsewhere."""
CROWD: Final = 1000
"""Files of one folder that are listed before the rest of it is skipped."""

T = TypeVar("T")


class Stretch(NamedTuple):
    """What comes behind ``after``, up to ``until`` if that is not empty."""

    after: str = ""
    until: str = ""

    def files(self, driver: StorageDriver, root: str, without: Collection[str] = ()) -> Iterator[str]:
        """The files below ``root``, as ``StorageDriver.files``, of which those in repositories' folders
        ``without``, such as ``_layers``, may be skipped."""
        listing = _behind(driver, root, self.after)
        folder, count = "", 0
        while (path := next(listing, None)) is not None and (not self.until or path <= self.until):
            yield path
            if not (folder and path.startswith(folder)):
                folder, count = _folder(path, without), 0
            count += 1
            if folder and count == CROWD:
                listing = _behind(driver, root, _end(folder))


def _behind(driver: StorageDriver, root: str, after: str) -> Iterator[str]:
    """The files behind ``after``: first those in its folder, and then those in each folder above.

    A single list could begin there, too. But behind ``a/b``, MinIO ends it too soon if there is a folder such
    as ``a-b``, which comes before ``a/b``, with more than a page of files.
    """
    while True:
        folder, slash, name = after.rpartition("/")
        below = f"{folder}{slash}"
        for path in driver.files(f"{root}/{folder}".rstrip("/"), after=name):
            yield below + path
        if not slash:
            return
        after = _end(below)


def _end(folder: str) -> str:
    """Behind it comes what is not in ``folder``, which ends with a slash; a file of just this name, which no
    registry makes, is overlooked."""
    return f"{folder[:-1]}0"


def _folder(path: str, names: Collection[str]) -> str:
    """The part of a path up to the first of these names, which ends with a slash; empty if there is none."""
    for name in names:
        before, found, _ = path.partition(f"/{name}/")
        if found:
            return before + found
    return ""


def in_stretches(driver: StorageDriver, root: str, walk: Callable[[Stretch], T]) -> Iterator[T]:
    """What ``walk`` makes of each stretch of the files below ``root``, in order; together they are all files.

    They are parted by the names in the first folder that has several.
    """
    if driver.lookups < STRETCHES:
        yield walk(Stretch())
        return
    from udist_plugin.helpers import Helpers

    ends = _ends(driver, root)
    with Helpers(STRETCHES, "udist-lists") as pool:
        yield from pool.map(walk, map(Stretch, ["", *ends], [*ends, ""]))


def _ends(driver: StorageDriver, root: str) -> Sequence[str]:
    above = ""
    try:
        while len(names := _names(driver, f"{root}/{above}".rstrip("/"))) == 1:
            above = f"{above}{names[0]}/"
    except PathNotFound:
        return []
    step = max(1, -(-len(names) // STRETCHES))
    return [f"{above}{name}" for name in names[step::step]]


def _names(driver: StorageDriver, folder: str) -> list[str]:
    return [name for name in driver.names(folder) if not name.startswith("_")]
