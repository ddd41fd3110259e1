"""The blobs that may be garbage: those that stand in a store and are not marked.

In a run that deletes nothing, a folder to which nothing was added since it was listed is not listed again:
only what was not marked before, or has lost a manifest that referred to it, can be garbage there. Whatever is
missed so, such as a blob that only a manifest in quarantine referred to, is found by a later run.
"""

from __future__ import annotations

from udist_plugin.storage import paths
from udist_plugin.storage.collection.walk import digests_below, names_in
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from udist_plugin.drivers.base import StorageDriver
    from udist_plugin.oci.digest import Digest
    from udist_plugin.storage.collection.mark import Marked
    from udist_plugin.storage.collection.memory import Folders, Memory


def candidates(driver: StorageDriver, marked: Marked, memory: Memory) -> Iterator[Digest]:
    """In order; some may be gone. What there were is remembered when all were asked for."""
    listing = _Listing(driver, marked, memory)
    for digest in digests_below(driver, paths.BLOBS, "/data", listing.names):
        if digest not in marked:
            yield digest
    memory.save_folders(listing.found)


class _Listing:
    def __init__(self, driver: StorageDriver, marked: Marked, memory: Memory) -> None:
        self.found: Folders = {}
        self._driver = driver
        self._marked = marked
        self._state_of = driver.folder_states()
        self._before = memory.folders()
        self._lost: dict[str, list[str]] = {}
        for each in memory.lost if self._before else ():
            encoded = each.hex()
            self._lost.setdefault(f"{paths.BLOBS}/sha256/{encoded[:2]}", []).append(encoded)

    def names(self, folder: str) -> list[str]:
        """The names in a folder of blobs that are not marked."""
        state = self._state_of(folder)
        before, names = self._before.get(folder, ("", []))
        if state and state == before:
            names = list({*names, *self._lost.get(folder, ())})
        else:
            names = names_in(self._driver, folder)
        found = list(self._marked.missing(names))
        self.found[folder] = (state if state == self._state_of(folder) else "", found)
        return found
