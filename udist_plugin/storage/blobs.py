"""Blobs of a repository: data that all repositories share, and a link that makes it one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from udist_plugin.errors import BlobUnknown, DigestInvalid, PathNotFound
from udist_plugin.oci.descriptor import Descriptor
from udist_plugin.oci.media_types import OCTET_STREAM
from udist_plugin.storage import paths
from udist_plugin.storage.links import read_link, write_link
from udist_plugin.storage.pump import RunningHash, pump

if TYPE_CHECKING:
    from udist_plugin.content import Content, Readable
    from udist_plugin.oci.digest import Digest
    from udist_plugin.storage.drivers.base import StorageDriver


class BlobStore:
    """The blob verbs of ``Registry``."""

    def __init__(self, driver: StorageDriver) -> None:
        self._driver = driver

    def resolve(self, name: str, digest: Digest) -> Descriptor:
        return self._stat(digest, self._target(name, digest))

    def open(self, name: str, digest: Digest, start: int = 0, end: int | None = None) -> Content:
        try:
            return self._driver.reader(paths.blob_data(self._target(name, digest)), start, end)
        except PathNotFound:
            raise BlobUnknown(digest) from None

    def locate(self, name: str, digest: Digest) -> str | None:
        return self._driver.url_for(paths.blob_data(self._target(name, digest)))

    def mount(self, name: str, digest: Digest, source: str | None) -> Descriptor:
        """Without ``source``, whatever stands in the store can be mounted (distribution-spec, end-11:
        a registry may find the blob by itself)."""
        target = digest if source is None else self._target(source, digest)
        descriptor = self._stat(digest, target)
        self.link(name, digest, target)
        return descriptor

    def push(self, name: str, digest: Digest, content: Readable) -> Descriptor:
        running = RunningHash(digest.algorithm)
        with self._driver.writer(paths.blob_data(digest)) as writer:
            pump(content, writer, running)
            if (actual := running.digest()) != digest:
                raise DigestInvalid({"digest": digest, "content": actual})
            writer.commit()
        self.link(name, digest, digest)
        return Descriptor(OCTET_STREAM, digest, running.count)

    def delete(self, name: str, digest: Digest) -> None:
        folder = paths.layer(name, digest)
        if not self._driver.exists(paths.link(folder)):
            raise BlobUnknown(digest)
        try:
            self._driver.delete(folder)
        except PathNotFound:  # deleted by another at the same time
            raise BlobUnknown(digest) from None

    def link(self, name: str, digest: Digest, target: Digest) -> None:
        """Makes the blob ``target`` known to the repository as ``digest``; its data must be durable."""
        write_link(self._driver, paths.link(paths.layer(name, digest)), target)

    def _target(self, name: str, digest: Digest) -> Digest:
        target = read_link(self._driver, paths.link(paths.layer(name, digest)))
        if target is None:
            raise BlobUnknown(digest)
        return target

    def _stat(self, digest: Digest, target: Digest) -> Descriptor:
        try:
            size = self._driver.stat(paths.blob_data(target)).size
        except PathNotFound:
            raise BlobUnknown(digest) from None
        return Descriptor(OCTET_STREAM, digest, size)
