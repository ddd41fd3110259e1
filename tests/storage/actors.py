"""Who shares a store with the collector: plugins, and somebody who does what a stock server does."""

from __future__ import annotations

import io
from contextlib import suppress
from typing import TYPE_CHECKING

from tests.storage.samples import Document, image, index, push
from udist_plugin.errors import (
    BlobUnknown,
    ManifestBlobUnknown,
    ManifestUnknown,
    NameUnknown,
    PathNotFound,
)
from udist_plugin.oci.digest import Digest
from udist_plugin.storage import paths
from udist_plugin.storage.collection.notes import Notes
from udist_plugin.storage.registry import StorageRegistry
from udist_plugin.storage.sizes.sizes import MemorySizes, Sizes
from udist_plugin.wrappers.validation import ValidatingRegistry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.storage.interleaving import Turns
    from udist_plugin.drivers.base import StorageDriver
    from udist_plugin.registry import Registry

DEEDS = 3
LOOKS = 3


class Content:
    """Two images and the index of both, to be pushed; ``salt`` tells them from those of others."""

    def __init__(self, salt: str = "") -> None:
        config = b"{}" + salt.encode()
        layers = [f"{each}{salt}".encode() for each in ("first", "second")]
        self.blobs = {Digest.of(blob): blob for blob in (config, *layers)}
        self._needs = {image(layer, config=config): [Digest.of(config), Digest.of(layer)] for layer in layers}
        self.images = list(self._needs)
        self.index = index(*self.images)
        self.tags = {document: f"v{number}" for number, document in enumerate([*self.images, self.index])}

    def blobs_of(self, document: Document) -> Iterable[Digest]:
        """Those of an image; an index has none."""
        return self._needs.get(document, [])


class Plugin:
    """Pushes to, deletes from and reads a repository that is its own; ``kept`` is what it was told it has.

    Where untagged manifests are collected, that is what a tag of their own leads to, and their children.
    """

    def __init__(
        self, turns: Turns, driver: StorageDriver, name: str, content: Content, *, untagged: bool = False
    ) -> None:
        self.name = name
        self.content = content
        self._untagged = untagged
        self.kept: set[Document] = set()
        self._tagged: set[Document] = set()
        self._refused: set[Document] = set()
        """Pushed in vain last: each may stand there and lack a blob."""
        self._turns = turns
        self._driver = driver

    def work(self) -> None:
        registry = self._open()
        for _ in range(DEEDS):
            self._deed(registry)

    def _deed(self, registry: Registry) -> None:
        match self._turns.random.randrange(8):
            case 0 | 1 | 2:
                self._push(registry, self._turns.random.choice(self.content.images))
            case 3:
                self._push_index(registry)
            case 4 | 5 | 6:
                self._delete(registry, self._turns.random.choice([*self.content.images, self.content.index]))
            case _:
                self.check(registry)

    def check(self, registry: Registry) -> None:
        """Everything that was acknowledged can be read."""
        for document in list(self.kept):
            self._read(registry, document, document.digest)

    def _read(self, registry: Registry, document: Document, target: Digest | str) -> None:
        self._insist(lambda: self._read_once(registry, document, target))

    def _insist(self, look: Callable[[], object]) -> None:
        """What a repair has just deleted is put back, at the latest when somebody looks at its notes."""
        for _ in range(LOOKS):
            with suppress(ManifestUnknown, BlobUnknown):
                look()
                return
            Notes(self._driver).finish()
        look()

    def _read_once(self, registry: Registry, document: Document, target: Digest | str) -> None:
        assert registry.get_manifest(self.name, target).content == document.content
        assert registry.resolve_manifest(self.name, target).size == len(document.content)
        for digest in self.content.blobs_of(document):
            with registry.open_blob(self.name, digest) as content:
                assert content.read() == self.content.blobs[digest]

    def _open(self) -> Registry:
        sizes = self._turns.random.choice([Sizes, MemorySizes])()
        inner = StorageRegistry(self._driver, sizes=sizes)
        return ValidatingRegistry(inner, clocks=lambda: (self._turns.real,))

    def _push(self, registry: Registry, document: Document) -> bool:
        for digest in self.content.blobs_of(document):
            try:
                registry.resolve_blob(self.name, digest)
            except BlobUnknown:
                self._push_blob(registry, digest)
        return self._push_manifest(registry, document)

    def _push_blob(self, registry: Registry, digest: Digest) -> None:
        source = self._turns.random.choice([None, "a", "b", "s", "push"])
        if source != "push":
            with suppress(BlobUnknown):
                registry.mount_blob(self.name, digest, source)
                return
        registry.push_blob(self.name, digest, io.BytesIO(self.content.blobs[digest]))

    def _push_index(self, registry: Registry) -> None:
        if all(self._has(registry, child) or self._push(registry, child) for child in self.content.images):
            self._push_manifest(registry, self.content.index)

    def _has(self, registry: Registry, document: Document) -> bool:
        """Whether a child need not be pushed, as clients find out who were not told that it lacks a blob."""
        if document in self._refused:
            return False
        try:
            return registry.resolve_manifest(self.name, document.digest).digest == document.digest
        except ManifestUnknown:
            return False

    def _push_manifest(self, registry: Registry, document: Document) -> bool:
        tags = (
            [(self.content.tags[document],), (self.content.tags[document], "latest")]
            if self._untagged
            else [(), ("latest",)]
        )
        if self._untagged and document not in self.kept and self._turns.random.randrange(2):
            tags = [()]
        chosen = self._turns.random.choice(tags)
        try:
            push(registry, self.name, document, *chosen)
        except ManifestBlobUnknown:
            self._refused.add(document)
            return False
        self._refused.discard(document)
        if not self._untagged:
            self.kept.add(document)
        elif chosen:
            self._tagged.add(document)
            self.kept |= {document, *(self.content.images if document == self.content.index else ())}
        return True

    def _delete(self, registry: Registry, document: Document) -> None:
        if document != self.content.index:
            self.kept.discard(self.content.index)  # as much as its children
        self._tagged.discard(document)
        self.kept.discard(document)
        if self._untagged and self.content.index not in self.kept:
            self.kept &= self._tagged
        with suppress(ManifestUnknown, NameUnknown):
            registry.delete_manifest(self.name, document.digest)


class Stock:
    """Does what distribution does: no look into quarantine, and nothing written that stands already.

    With a cache, a blob that was seen once is taken to stand for ever; then it is promised nothing.
    """

    name = "s"

    def __init__(self, turns: Turns, driver: StorageDriver, content: Content, *, cache: bool) -> None:
        self.content = content
        self.kept: set[Document] = set()
        self._turns = turns
        self._driver = driver
        self._cache: set[Digest] | None = set() if cache else None

    def work(self) -> None:
        for _ in range(DEEDS):
            document = self._turns.random.choice(self.content.images)
            self._turns.busy_since = self._turns.real
            if self._turns.random.randrange(4):
                self._push(document)
            else:
                self._delete(document)
            self._turns.busy_since = None

    def _push(self, document: Document) -> None:
        for digest in self.content.blobs_of(document):
            if not self._has(digest):
                self._put(digest, self.content.blobs[digest])
                self._link(paths.layer(self.name, digest), digest)
        if not all(map(self._has, self.content.blobs_of(document))):
            return
        self._put(document.digest, document.content)
        self._link(paths.revision(self.name, document.digest), document.digest)
        if self._cache is None:
            self.kept.add(document)

    def _delete(self, document: Document) -> None:
        self.kept.discard(document)
        with suppress(PathNotFound):
            self._driver.delete(paths.revision(self.name, document.digest))

    def _has(self, digest: Digest) -> bool:
        if not self._stands(paths.link(paths.layer(self.name, digest))):
            return False
        if self._cache is not None and digest in self._cache:
            return True
        if not self._stands(paths.blob_data(digest)):
            return False
        if self._cache is not None:
            self._cache.add(digest)
        return True

    def _put(self, digest: Digest, content: bytes) -> None:
        if not self._stands(paths.blob_data(digest)):
            self._driver.put_content(paths.blob_data(digest), content)

    def _link(self, folder: str, digest: Digest) -> None:
        self._driver.put_content(paths.link(folder), digest.encode())

    def _stands(self, path: str) -> bool:
        try:
            self._driver.stat(path)
        except PathNotFound:
            return False
        return True
