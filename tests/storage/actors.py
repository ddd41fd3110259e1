"""Who shares a store with the collector: plugins, and somebody who does what a stock server does."""

from __future__ import annotations

import io
from contextlib import suppress
from typing import TYPE_CHECKING

from tests.storage.interleaving import HOUR, Turns, store
from tests.storage.samples import Document, image, index, push
from udist_plugin.errors import (
    BlobUnknown,
    ManifestBlobUnknown,
    ManifestUnknown,
    NameUnknown,
    PathNotFound,
    StorageError,
)
from udist_plugin.oci.digest import Digest
from udist_plugin.storage import paths
from udist_plugin.storage.collection.collect import collect, undo
from udist_plugin.storage.collection.retention import Policy, Retention
from udist_plugin.storage.registry import StorageRegistry
from udist_plugin.storage.scrubbing.scrub import Repair, scrub
from udist_plugin.storage.sizes.sizes import MemorySizes, Sizes
from udist_plugin.wrappers.validation import ValidatingRegistry

if TYPE_CHECKING:
    from collections.abc import Iterable

    from udist_plugin.drivers.base import StorageDriver
    from udist_plugin.registry import Registry

CONFIG = b"{}"
LAYERS = [b"first", b"second"]
BLOBS = {Digest.of(blob): blob for blob in (CONFIG, *LAYERS)}
IMAGES = {image(*layers): layers for layers in ((LAYERS[0],), (LAYERS[1],))}
INDEX = index(*IMAGES)
TAGS = {document: f"v{number}" for number, document in enumerate([*IMAGES, INDEX])}
DEEDS = 3


def blobs_of(document: Document) -> Iterable[Digest]:
    return [Digest.of(blob) for blob in (CONFIG, *IMAGES[document])]


UNTAGGED = Retention((Policy(untagged=True),))


class Plugin:
    """Pushes to, deletes from and reads a repository that is its own; ``kept`` is what it was told it has.

    Where untagged manifests are collected, that is what a tag of their own leads to, and their children.
    """

    def __init__(self, turns: Turns, driver: StorageDriver, name: str, *, untagged: bool = False) -> None:
        self.name = name
        self._untagged = untagged
        self.kept: set[Document] = set()
        self._tagged: set[Document] = set()
        self._turns = turns
        self._driver = driver

    def work(self) -> None:
        registry = self._open()
        for _ in range(DEEDS):
            match self._turns.random.randrange(8):
                case 0 | 1 | 2:
                    self._push(registry, self._turns.random.choice(list(IMAGES)))
                case 3:
                    self._push_index(registry)
                case 4 | 5 | 6:
                    self._delete(registry, self._turns.random.choice([*IMAGES, INDEX]))
                case _:
                    self.check(registry)

    def check(self, registry: Registry) -> None:
        """Everything that was acknowledged can be read."""
        for document in list(self.kept):
            assert registry.get_manifest(self.name, document.digest).content == document.content
            assert registry.resolve_manifest(self.name, document.digest).size == len(document.content)
            for digest in blobs_of(document) if document != INDEX else ():
                with registry.open_blob(self.name, digest) as content:
                    assert content.read() == BLOBS[digest]

    def _open(self) -> Registry:
        sizes = self._turns.random.choice([Sizes, MemorySizes])()
        inner = StorageRegistry(self._driver, sizes=sizes)
        return ValidatingRegistry(inner, clocks=lambda: (self._turns.real,))

    def _push(self, registry: Registry, document: Document) -> bool:
        for digest in blobs_of(document):
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
        registry.push_blob(self.name, digest, io.BytesIO(BLOBS[digest]))

    def _push_index(self, registry: Registry) -> None:
        if all(self._has(registry, child) or self._push(registry, child) for child in IMAGES):
            self._push_manifest(registry, INDEX)

    def _has(self, registry: Registry, document: Document) -> bool:
        """Whether a child need not be pushed, as clients find out."""
        try:
            return registry.resolve_manifest(self.name, document.digest).digest == document.digest
        except ManifestUnknown:
            return False

    def _push_manifest(self, registry: Registry, document: Document) -> bool:
        tags = [(TAGS[document],), (TAGS[document], "latest")] if self._untagged else [(), ("latest",)]
        if self._untagged and document not in self.kept and self._turns.random.randrange(2):
            tags = [()]
        chosen = self._turns.random.choice(tags)
        try:
            push(registry, self.name, document, *chosen)
        except ManifestBlobUnknown:
            return False
        if not self._untagged:
            self.kept.add(document)
        elif chosen:
            self._tagged.add(document)
            self.kept |= {document, *(IMAGES if document == INDEX else ())}
        return True

    def _delete(self, registry: Registry, document: Document) -> None:
        if document != INDEX:
            self.kept.discard(INDEX)  # as much as its children
        self._tagged.discard(document)
        self.kept.discard(document)
        if self._untagged and INDEX not in self.kept:
            self.kept &= self._tagged
        with suppress(ManifestUnknown, NameUnknown):
            registry.delete_manifest(self.name, document.digest)


class Stock:
    """Does what distribution does: no look into quarantine, and nothing written that stands already.

    With a cache, a blob that was seen once is taken to stand for ever; then it is promised nothing.
    """

    name = "s"

    def __init__(self, turns: Turns, driver: StorageDriver, *, cache: bool) -> None:
        self.kept: set[Document] = set()
        self._turns = turns
        self._driver = driver
        self._cache: set[Digest] | None = set() if cache else None

    def work(self) -> None:
        for _ in range(DEEDS):
            document = self._turns.random.choice(list(IMAGES))
            self._turns.busy_since = self._turns.real
            if self._turns.random.randrange(4):
                self._push(document)
            else:
                self._delete(document)
            self._turns.busy_since = None

    def _push(self, document: Document) -> None:
        for digest in blobs_of(document):
            if not self._has(digest):
                self._put(digest, BLOBS[digest])
                self._link(paths.layer(self.name, digest), digest)
        if not all(map(self._has, blobs_of(document))):
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


def collector(turns: Turns, driver: StorageDriver, retention: Retention | None = None) -> None:
    for _ in range(DEEDS):
        if turns.random.randrange(8):
            # A push that was held up for days may have its link, and no data until it looks again.
            with suppress(StorageError):
                for _ in collect(driver, apply=True, retention=retention, pause=turns.pause):
                    pass
        else:
            for _ in undo(driver):
                pass
        turns.happen()


def scrubber(turns: Turns, driver: StorageDriver) -> None:
    for _ in range(DEEDS):
        with suppress(StorageError):  # no blob is in its place
            for damage in scrub(driver, repair=Repair(links=True, blobs=True)):
                assert damage.kind != "blob"
        turns.happen()


def litter(turns: Turns, driver: StorageDriver, retention: Retention | None) -> None:
    """Garbage that pushes are about to use again, old or in quarantine, and due or not."""
    registry = StorageRegistry(driver)
    for name in ("a", "b", Stock.name):
        for digest, blob in BLOBS.items():
            registry.push_blob(name, digest, io.BytesIO(blob))
    for document in IMAGES:
        driver.put_content(paths.blob_data(document.digest), document.content)
        if retention:  # untagged, and the children of an index that is about to be pushed
            for name in ("a", "b"):
                push(registry, name, document)
    turns.pass_time(30 * HOUR)
    if turns.random.randrange(2):
        for _ in collect(driver, apply=True, retention=retention):
            turns.pass_time(turns.random.choice([0.0, 10 * HOUR]))


def interleave(seed: int, *, scrubbing: bool = False) -> None:
    """One order of everything. Raises ``AssertionError`` if what was acknowledged is lost.

    With ``scrubbing`` the store is repaired meanwhile.

    Every third seed collects untagged manifests, too. Then there is no stock server: it cannot see that the
    manifest in quarantine stands that it refers to.
    """
    shape = seed % 6
    untagged = seed // 6 % 3 == 0
    retention = UNTAGGED if untagged else None
    jumps = shape < 2  # a stock server's promise needs a clock that can be believed
    turns = Turns(seed, jumps=jumps)
    with store(turns, objects=bool(seed % 2)) as driver:
        litter(turns, driver, retention)
        plugins = [Plugin(turns, driver, name, untagged=untagged) for name in ("a", "b")]
        stock = Stock(turns, driver, cache=shape < 4)
        works = [
            *(plugin.work for plugin in plugins),
            stock.work,
            *[lambda: collector(turns, driver, retention)] * 2,
        ]
        mortal = [False, False, False, True, True]
        if jumps or untagged:
            del works[2], mortal[2]
        if scrubbing:
            works.append(lambda: scrubber(turns, driver))
            mortal.append(False)
        turns.run(works, mortal)
        for _ in range(3):
            turns.pass_time(30 * HOUR)
            for _ in collect(driver, apply=True, retention=retention, pause=turns.pause):
                pass
        registry = StorageRegistry(driver)
        for plugin in plugins:
            plugin.check(registry)
        for document in stock.kept:
            assert driver.get_content(paths.blob_data(document.digest)) == document.content
            for digest in blobs_of(document):
                assert driver.get_content(paths.blob_data(digest)) == BLOBS[digest]
