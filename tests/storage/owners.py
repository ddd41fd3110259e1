"""Owners of leases, whose tags are collected when nobody has a lease on them."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from tests.storage.actors import Content, Plugin
from tests.storage.interleaving import HOUR, Turns
from tests.storage.samples import Document, push
from udist_plugin.errors import ManifestBlobUnknown, ManifestUnknown
from udist_plugin.oci.reference import Reference
from udist_plugin.storage.leases import Lease, Leases

if TYPE_CHECKING:
    from udist_plugin.drivers.base import StorageDriver
    from udist_plugin.registry import Registry

LEASED = "c"
"""The repository of ``Owner``, whose tags go when they are an hour old."""

MOVING = "moving"
"""A tag of either image; the others stay on theirs."""


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
                targets = [f":{self.content.tags[document]}", f":{MOVING}", f"@{document.digest}"]
                self._create(registry, self.name + self._turns.random.choice(targets))
            case 4 if self._held:
                self._release()
            case _:
                self.check(registry)

    def check(self, registry: Registry) -> None:
        """What is under a lease stands, and so do the tags that are no hour old."""
        for reference, document in list(self._held.items()):
            target = Reference.parse(reference).target
            if target == MOVING:  # it may be on either
                self._insist(lambda: registry.resolve_manifest(self.name, MOVING))
                target = document.digest
            self._read(registry, document, target)
        for document in self.content.images:
            if not self._turns.jumps and self._is_young(document):
                try:
                    self._read(registry, document, self.content.tags[document])
                except ManifestUnknown:
                    assert not self._is_young(document)  # any more

    def _is_young(self, document: Document) -> bool:
        return self._turns.real < self._promises.young.get(self.content.tags[document], 0.0) + HOUR

    def _push_manifest(self, registry: Registry, document: Document) -> bool:
        tag = self._turns.random.choice([self.content.tags[document], MOVING])
        begun, releases = self._turns.real, self._promises.releases
        try:
            push(registry, self.name, document, tag)
        except ManifestBlobUnknown:
            self._promises.broken.add(document)
            return False
        self._promises.broken.discard(document)
        if tag != MOVING and releases == self._promises.releases:
            self._promises.young[tag] = begun
        self._turns.tell(f"has pushed {document.digest[:15]} as {tag}")
        return True

    def _create(self, registry: Registry, reference: str) -> None:
        lease = Lease.parse(self._owner, reference)
        self._held.pop(reference, None)
        self._let_go(lease)
        with suppress(ManifestUnknown):
            self._leases.create(registry, self._owner, [reference])
            pinned = dict(self._leases.pinned(self._owner))[lease]
            document = next(each for each in self.content.images if each.digest == pinned)
            if document not in self._promises.broken:
                self._held[reference] = document
            self._turns.tell(f"has a lease on {reference}, which is {document.digest[:15]}")
        self._let_go(lease)

    def _let_go(self, lease: Lease) -> None:
        """A new lease on a tag that was moved since releases what the old one was on."""
        if lease.target == MOVING:
            self._promises.release()

    def _release(self) -> None:
        reference = self._turns.random.choice(list(self._held))
        del self._held[reference]
        self._promises.release()
        self._leases.release(self._owner, [reference])
        self._promises.release()
        self._turns.tell(f"has released {reference}")
