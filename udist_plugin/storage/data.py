"""The data of blobs, where it belongs or in quarantine (see collection/quarantine.py)."""

from __future__ import annotations

from contextlib import suppress

from udist_plugin.content import CHUNK_SIZE
from udist_plugin.drivers.base import SMALL_FILE_MAX
from udist_plugin.errors import DigestInvalid, PathNotFound
from udist_plugin.oci.digest import Digest
from udist_plugin.storage import paths
from udist_plugin.storage.links import read_link
from udist_plugin.typed import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from udist_plugin.content import Content
    from udist_plugin.drivers.base import FileInfo, StorageDriver
    from udist_plugin.storage.collection.quarantine import Quarantine

Found = TypeVar("Found")


class BlobData:
    """Reads data by digest. Every verb raises ``PathNotFound`` if there is none.

    What is in quarantine is moved back when it is asked for, so that it cannot be deleted, or without
    ``restore`` read where it is.
    """

    def __init__(self, driver: StorageDriver, *, restore: bool = True) -> None:
        self._driver = driver
        self._restore = restore

    def stat(self, digest: Digest) -> FileInfo:
        return self._find(digest, self._driver.stat)

    def open(self, digest: Digest, start: int = 0, end: int | None = None) -> Content:
        return self._find(digest, lambda path: self._driver.reader(path, start, end))

    def content(self, digest: Digest, limit: int = SMALL_FILE_MAX) -> bytes:
        """Raises ``FileTooLarge`` for more than ``limit`` bytes."""
        return self._find(digest, lambda path: self._driver.get_content(path, limit))

    def _find(self, digest: Digest, look: Callable[[str], Found]) -> Found:
        try:
            return look(paths.blob_data(digest))
        except PathNotFound:
            return self._quarantine().find(paths.blob_data(digest), look, restore=self._restore)

    def revision(self, name: str, digest: Digest) -> Digest | None:
        """What a manifest's link holds, in its place or in quarantine; ``None`` if there is none."""
        link = paths.link(paths.revision(name, digest))
        if (found := read_link(self._driver, link)) is not None:
            return found
        with suppress(PathNotFound, DigestInvalid):
            content = self._quarantine().find(link, self._driver.get_content, restore=self._restore)
            return Digest(content.decode("ascii", "replace"))
        return None

    def forget_revision(self, name: str, digest: Digest) -> None:
        """Sees to it that a manifest's link is not restored that was deleted."""
        self._quarantine().forget(paths.link(paths.revision(name, digest)))

    def _quarantine(self) -> Quarantine:
        from udist_plugin.storage.collection.quarantine import Quarantine

        return Quarantine(self._driver)


def digest_at(
    driver: StorageDriver, path: str, digest: Digest, read: Callable[[int], object] = lambda _: None
) -> str:
    """That of the data at ``path``: see ``digest_of``."""
    with driver.reader(path) as content:
        return digest_of(content, digest, read)


def digest_of(content: Content, digest: Digest, read: Callable[[int], object] = lambda _: None) -> str:
    """That of all that is left of ``content``, by the algorithm of ``digest``; ``read`` is told how long each
    piece is. Raises ``StorageError``."""
    running = digest.hasher()
    while data := content.read(CHUNK_SIZE):
        running.update(data)
        read(len(data))
    return f"{digest.algorithm}:{running.hexdigest()}"
