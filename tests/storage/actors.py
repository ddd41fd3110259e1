"""Who shares a store with the collector: plugins, and somebody who does what a stock server does."""

from __future__ import annotations

import io
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from tests.storage.interleaving import HOUR, Role, Turns, store
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
from udist_plugin.oci.reference import Reference
from udist_plugin.patterns.pattern import Pattern
from udist_plugin.storage import paths
from udist_plugin.storage.collection.collect import collect, undo
from udist_plugin.storage.collection.notes import Notes
from udist_plugin.storage.collection.retention import Policy, Retention, TagRule
from udist_plugin.storage.leases import Leases
from udist_plugin.storage.registry import StorageRegistry
from udist_plugin.storage.scrubbing.scrub import Repair, scrub
from udist_plugin.storage.sizes.sizes import MemorySizes, Sizes
from udist_plugin.wrappers.validation import ValidatingRegistry

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from udist_plugin.drivers.base import StorageDriver
    from udist_plugin.registry import Registry

DEEDS = 3
LOOKS = 3
LEASED = "c"
"""The repository of ``Owner``, whose tags go when they are an hour old."""

UNTAGGED = Policy(untagged=True)
OLD_TAGS = Policy((Pattern(LEASED),), untagged=True, rules=(TagRule(pushed_within=HOUR),))


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
        """What a repair has just deleted is put back, at the latest when somebody looks at its notes."""
        for _ in range(LOOKS):
            with suppress(ManifestUnknown, BlobUnknown):
                return self._read_once(registry, document, target)
            Notes(self._driver).finish()
        return self._read_once(registry, document, target)

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
        """Whether a child need not be pushed, as clients find out."""
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
            return False
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


class Promises:
    """What holds of the tags of ``LEASED``: those pushed so lately stand, as far as nobody released them."""

    def __init__(self) -> None:
        self.young: dict[str, float] = {}
        self.broken: set[Document] = set()
        """Pushed by somebody who was told that it lacks a blob: nothing is promised of these."""
        self.releases = 0

    def release(self) -> None:
        self.releases += 1
        self.young.clear()


class Owner(Plugin):
    """Pushes tags, and takes and releases leases on them and their manifests, as one of several do."""

    def __init__(
        self, turns: Turns, driver: StorageDriver, owner: str, content: Content, promises: Promises
    ) -> None:
        super().__init__(turns, driver, LEASED, content)
        self._owner = owner
        self._promises = promises
        self._leases = Leases(driver)
        self._held: dict[str, Document] = {}

    def _deed(self, registry: Registry) -> None:
        document = self._turns.random.choice(self.content.images)
        match self._turns.random.randrange(6):
            case 0 | 1:
                self._push(registry, document)
            case 2 | 3:
                self._create(registry, document)
            case 4 if self._held:
                self._release()
            case _:
                self.check(registry)

    def check(self, registry: Registry) -> None:
        """What is under a lease stands, and so do the tags that are no hour old."""
        for reference, document in list(self._held.items()):
            self._read(registry, document, Reference.parse(reference).target)
        for document in self.content.images:
            if not self._turns.jumps and self._is_young(document):
                try:
                    self._read(registry, document, self.content.tags[document])
                except ManifestUnknown:
                    assert not self._is_young(document)  # any more

    def _is_young(self, document: Document) -> bool:
        return self._turns.real < self._promises.young.get(self.content.tags[document], 0.0) + HOUR

    def _push_manifest(self, registry: Registry, document: Document) -> bool:
        begun, releases = self._turns.real, self._promises.releases
        try:
            push(registry, self.name, document, self.content.tags[document])
        except ManifestBlobUnknown:
            self._promises.broken.add(document)
            return False
        self._promises.broken.discard(document)
        if releases == self._promises.releases:
            self._promises.young[self.content.tags[document]] = begun
        self._turns.tell(f"has pushed {self.content.tags[document]}")
        return True

    def _create(self, registry: Registry, document: Document) -> None:
        targets = [f"{self.name}:{self.content.tags[document]}", f"{self.name}@{document.digest}"]
        reference = self._turns.random.choice(targets)
        with suppress(ManifestUnknown):
            self._leases.create(registry, self._owner, [reference])
            if document not in self._promises.broken:
                self._held[reference] = document
            self._turns.tell(f"has a lease on {reference}")

    def _release(self) -> None:
        reference = self._turns.random.choice(list(self._held))
        del self._held[reference]
        self._promises.release()
        self._leases.release(self._owner, [reference])
        self._promises.release()
        self._turns.tell(f"has released {reference}")


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


def litter(
    turns: Turns, driver: StorageDriver, found: Mapping[str, Content], retention: Retention, *, untagged: bool
) -> None:
    """Garbage that pushes are about to use again, old or in quarantine, and due or not."""
    registry = StorageRegistry(driver)
    for name, content in found.items():
        for digest, blob in content.blobs.items():
            registry.push_blob(name, digest, io.BytesIO(blob))
        for document in content.images:
            driver.put_content(paths.blob_data(document.digest), document.content)
            if untagged and name != Stock.name:  # and children of an index that is about to be pushed
                push(registry, name, document)
    turns.pass_time(30 * HOUR)
    if turns.random.randrange(2):
        for _ in collect(driver, apply=True, retention=retention):
            turns.pass_time(turns.random.choice([0.0, 10 * HOUR]))


def interleave(seed: int) -> None:
    """One order of everything. Raises ``AssertionError`` or ``UdistError`` if any of this does not hold:

    - What a plugin was told it has pushed can be read by its digest, with all its blobs, until its deletion
      begins, and at the end. Where untagged manifests are collected, that is said of tagged ones.
    - What is under a lease can be read, from when the lease was granted until its release begins.
    - A tag stands for as long as the policy says, counted from when its last push began.
    - What a stock server was told it has pushed is there at the end, each blob in its place.

    Collectors and repairs are killed at any step, and begin anew. Every second seed is an object store. In a
    third of them the store's clock jumps, but not where there is a stock server, whose promise needs it.

    Every third seed collects untagged manifests, too. Then there is no stock server: it cannot see that the
    manifest in quarantine stands that it refers to. Half of the seeds have leases, and tags that get old. In
    half nobody pushes what others do, so that none keeps another's blobs. In half the store is repaired.
    """
    shape = seed % 6
    untagged = seed // 6 % 3 == 0
    leasing = seed // 18 % 2 == 1
    alone = seed // 36 % 2 == 0
    scrubbing = seed // 72 % 2 == 1
    retention = Retention((OLD_TAGS,) * leasing + (UNTAGGED,) * untagged)
    jumps = shape < 2  # a stock server's promise needs a clock that can be believed
    turns = Turns(seed, jumps=jumps)
    with turns.told(), store(turns, objects=bool(seed % 2)) as driver:
        found = {name: Content(name * alone) for name in ("a", "b", Stock.name, LEASED)}
        litter(turns, driver, found, retention, untagged=untagged)
        plugins = [Plugin(turns, driver, name, found[name], untagged=untagged) for name in ("a", "b")]
        promises = Promises()
        plugins += [Owner(turns, driver, owner, found[LEASED], promises) for owner in ("x", "y") if leasing]
        stock = Stock(turns, driver, found[Stock.name], cache=shape < 4)
        roles = [Role(f"plugin {plugin.name}", plugin.work) for plugin in plugins]
        if not (jumps or untagged):
            roles.append(Role("stock server", stock.work))
        collecting = partial(collector, turns, driver, retention)
        roles += [Role(f"collector {number}", collecting, is_mortal=True) for number in (1, 2)]
        if scrubbing:
            roles.append(Role("repair", partial(scrubber, turns, driver), is_mortal=True))
        turns.run(roles)
        for _ in range(3):
            turns.pass_time(30 * HOUR)
            for _ in collect(driver, apply=True, retention=retention, pause=turns.pause):
                pass
        registry = StorageRegistry(driver)
        for plugin in plugins:
            plugin.check(registry)
        for document in stock.kept:
            assert driver.get_content(paths.blob_data(document.digest)) == document.content
            for digest in stock.content.blobs_of(document):
                assert driver.get_content(paths.blob_data(digest)) == stock.content.blobs[digest]
