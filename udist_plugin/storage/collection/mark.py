"""What a store's manifests refer to: the blobs that are not garbage.

Every revision of every repository counts, tagged or not, so indexes, referrers and their subjects stay
whole. Layer links do not count, as with distribution's collector. All else fails closed: a link or manifest
that cannot be read raises ``StorageError`` with its path, for who knows what it referred to.
"""

from __future__ import annotations

from udist_plugin.storage.collection.batches import looked_up
from udist_plugin.storage.collection.quarantine import Quarantine
from udist_plugin.storage.collection.reading import Reader
from udist_plugin.storage.collection.walk import check_repositories, revision_links
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from udist_plugin.drivers.base import StorageDriver
    from udist_plugin.oci.digest import Digest

    Progress = Callable[[int], object]
    """Takes how many manifests have been read."""


class Marked:
    """A set of digests, in half the memory."""

    def __init__(self) -> None:
        self._raw: set[bytes] = set()

    def __len__(self) -> int:
        return len(self._raw)

    def __contains__(self, digest: Digest) -> bool:
        return bytes.fromhex(digest.hex) in self._raw

    def add(self, digest: Digest) -> None:
        self._raw.add(bytes.fromhex(digest.hex))


def mark(driver: StorageDriver, progress: Progress = lambda _: None, without: Collection[str] = ()) -> Marked:
    """The blobs that are referred to by any manifest whose link stood before this was called, in its place
    or in quarantine. The links in ``without`` do not count.

    Raises ``StorageError`` for what cannot be listed or read.
    """
    check_repositories(driver)
    marking = _Marking(driver)
    count = 0
    for listing in _links(driver):
        links = (found for found in listing if found[1] not in without)
        for batch in looked_up(driver, marking.revision, links):
            count += sum(1 for _ in batch)
            progress(count)
    return marking.marked


def _links(driver: StorageDriver) -> Iterator[Iterator[tuple[str, str]]]:
    """Those in quarantine come first and once more at the end, for a link may move meanwhile, there and back:
    one that goes there stays for a grace, also when it is restored. Each listing begins when all that the
    last one named was read: a link that has moved by then is in the next one."""
    quarantine = Quarantine(driver)
    yield quarantine.revision_links()
    yield revision_links(driver)
    yield quarantine.revision_links()


class _Marking:
    def __init__(self, driver: StorageDriver) -> None:
        self.marked = Marked()
        self._reader = Reader(driver)
        self._done = Marked()

    def revision(self, found: tuple[str, str]) -> None:
        """Marks the manifest that a revision's link leads to, and all that it names."""
        repository, link = found
        target = self._reader.link(link)
        if target is None or target in self._done:
            return
        content = self._reader.manifest(target, link)
        if content is None:
            return
        self.marked.add(target)
        blobs, asked = self._reader.blobs(repository, content, target)
        for digest in blobs:
            self.marked.add(digest)
        if not asked:
            self._done.add(target)
