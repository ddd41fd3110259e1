"""Blobs of a repository: data that all repositories share, and a link that makes it one's own."""

from __future__ import annotations

from functools import lru_cache

from udist_plugin.content import length_of, watches
from udist_plugin.errors import BlobUnknown, PathNotFound
from udist_plugin.oci.descriptor import Descriptor
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.media_types import OCTET_STREAM
from udist_plugin.storage import paths
from udist_plugin.storage.data import BlobData
from udist_plugin.storage.links import link_content, read_link, write_link
from udist_plugin.storage.pump import Pump, RunningHash
from udist_plugin.storage.sizes.sizes import Sizes
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from udist_plugin.content import Content, Readable
    from udist_plugin.drivers.base import FileInfo, StorageDriver


SMALL = 64 << 10
"""Bytes of a blob that are written at once."""


class BlobStore:
    """The blob verbs of ``Registry``; what ``sizes`` may answer is said there.

    ``url_for`` gives a URL for the data at a path, or ``None``. ``data`` finds what was pushed before.
    ``pump`` brings in what is pushed.
    """

    def __init__(
        self,
        driver: StorageDriver,
        sizes: Sizes | None = None,
        url_for: Callable[[str], str | None] | None = None,
        data: BlobData | None = None,
    ) -> None:
        self.pump = Pump()
        self._driver = driver
        self._data = data or BlobData(driver)
        self._sizes = sizes or Sizes()
        self._url_for = url_for or driver.url_for

    def resolve(self, name: str, digest: Digest) -> Descriptor:
        target = self._target(name, digest)
        if (size := self._sizes.size(target)) is None:
            return self._stat(digest, target)
        return Descriptor(OCTET_STREAM, digest, size)

    def has(self, name: str, digest: Digest) -> bool:
        try:
            self._stat(digest, self._target(name, digest))
        except BlobUnknown:
            return False
        return True

    def open(self, name: str, digest: Digest, start: int = 0, end: int | None = None) -> Content:
        target = self._target(name, digest)
        try:
            content = self._data.open(target, start, end)
        except PathNotFound:
            raise self._gone(digest, target) from None
        if not start and end is None and not _can_be(target, content.size):
            content.close()
            raise self._gone(digest, target)
        return content

    def locate(self, name: str, digest: Digest) -> str | None:
        """The client cannot see that a URL leads nowhere before it is there, so this looks."""
        target = self._target(name, digest)
        path = paths.blob_data(target)
        if (url := self._url_for(path)) is None:
            return None
        found = self._look(digest, target).path
        return url if found == path else self._url_for(found)

    def mount(self, name: str, digest: Digest, source: str | None) -> Descriptor:
        """Without ``source``, whatever stands in the store can be mounted (distribution-spec, end-11:
        a registry may find the blob by itself)."""
        target = digest if source is None else self._target(source, digest)
        descriptor = self._stat(digest, target)
        write_link(self._driver, paths.link(paths.layer(name, digest)), target)
        return descriptor

    def push(self, name: str, digest: Digest, content: Readable) -> Descriptor:
        length = length_of(content)
        if length is not None and length <= SMALL:
            return self._push_small(name, digest, content.read())
        running = RunningHash(digest.algorithm)
        with self._driver.writer(paths.blob_data(digest)) as writer:
            self.pump(content, writer, running)
            digest.check(running.digest())
            if watches(content):
                content.arrived()
            writer.commit()
        return self.link(name, digest, running.count)

    def _push_small(self, name: str, digest: Digest, content: bytes) -> Descriptor:
        """Blob and link are written together, and become visible one after the other."""
        digest.check(Digest.of(content, digest.algorithm))
        self._driver.put_contents(
            {paths.blob_data(digest): content},
            {paths.link(paths.layer(name, digest)): link_content(digest)},
        )
        return self._learnt(digest, len(content))

    def delete(self, name: str, digest: Digest) -> None:
        folder = paths.layer(name, digest)
        if self._driver.has_folders and not self._driver.stands(paths.link(folder)):
            raise BlobUnknown(digest)
        try:
            self._driver.delete(folder)
        except PathNotFound:  # deleted by another at the same time
            raise BlobUnknown(digest) from None

    def link(self, name: str, digest: Digest, size: int) -> Descriptor:
        """Makes a blob part of the repository; its data must be durable."""
        write_link(self._driver, paths.link(paths.layer(name, digest)), digest)
        return self._learnt(digest, size)

    def _learnt(self, digest: Digest, size: int) -> Descriptor:
        self._sizes.learn(digest, size)
        return Descriptor(OCTET_STREAM, digest, size)

    def _target(self, name: str, digest: Digest) -> Digest:
        target = read_link(self._driver, paths.link(paths.layer(name, digest)))
        if target is None:
            raise BlobUnknown(digest)
        return target

    def _stat(self, digest: Digest, target: Digest) -> Descriptor:
        return Descriptor(OCTET_STREAM, digest, self._look(digest, target).size)

    def _look(self, digest: Digest, target: Digest) -> FileInfo:
        try:
            found = self._data.stat(target)
        except PathNotFound:
            raise self._gone(digest, target) from None
        if not _can_be(target, found.size):
            raise self._gone(digest, target)
        self._sizes.learn(target, found.size)
        return found

    def _gone(self, digest: Digest, target: Digest) -> BlobUnknown:
        self._sizes.forget(target)
        return BlobUnknown(digest)


def _can_be(digest: Digest, size: int) -> bool:
    """Whether data of ``size`` bytes can have this digest.

    What a crash of another server left empty counts as absent: every client heals that by pushing again.
    """
    return (size == 0) == (digest == _of_nothing(digest.algorithm))


@lru_cache
def _of_nothing(algorithm: str) -> Digest:
    return Digest.of(b"", algorithm)
