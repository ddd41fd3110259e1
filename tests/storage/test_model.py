"""Registries on one store do what a few dictionaries do, in any order of verbs, each through the next."""

from __future__ import annotations

import io
from itertools import cycle
from typing import TYPE_CHECKING

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.storage.samples import Document, image, index, push, read_blob
from udist_plugin.drivers.inmemory import InMemoryDriver
from udist_plugin.errors import BlobUnknown, ManifestUnknown, NameUnknown
from udist_plugin.oci.digest import Digest
from udist_plugin.storage.registry import StorageRegistry
from udist_plugin.storage.sizes.sizes import MemorySizes, Sizes

if TYPE_CHECKING:
    from collections.abc import Callable

    from udist_plugin.registry import Page

BLOBS = [b"", b"one", b"two" * 1000]
SUBJECT = image(b"one")
DOCUMENTS = [
    SUBJECT,
    image(algorithm="sha512"),
    image(b"1", subject=SUBJECT, artifact_type="t/1"),
    index(SUBJECT, subject=SUBJECT),
]

names = st.sampled_from(["a", "a-b", "a/b", "c"])
blobs = st.sampled_from(BLOBS)
documents = st.sampled_from(DOCUMENTS)
tags = st.sampled_from(["latest", "v1", "v2"])


def all_pages(ask: Callable[[int, str], Page[str]], limit: int) -> list[str]:
    found: list[str] = []
    last: str | None = ""
    while last is not None:
        page = ask(limit, last)
        found += page.items
        last = page.last
    return found


class RegistryMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.driver = InMemoryDriver()
        self.restart()
        self.blobs: dict[str, set[bytes]] = {}
        self.stored: set[bytes] = set()
        self.manifests: dict[str, set[Document]] = {}
        self.tags: dict[str, dict[str, Document]] = {}

    @property
    def registry(self) -> StorageRegistry:
        return next(self.turns)

    @rule(name=names, blob=blobs)
    def push_blob(self, name: str, blob: bytes) -> None:
        self.registry.push_blob(name, Digest.of(blob), io.BytesIO(blob))
        self._has_blob(name, blob)

    @rule(name=names, blob=blobs, cut=st.integers(0, 3000), elsewhere=st.booleans())
    def upload_blob(self, name: str, blob: bytes, cut: int, elsewhere: bool) -> None:
        upload = self.registry.start_upload(name)
        upload.write(io.BytesIO(blob[:cut]))
        upload.close()
        if elsewhere:
            self.restart()
        upload = self.registry.resume_upload(name, upload.id)
        upload.write(io.BytesIO(blob[cut:]))
        upload.commit(Digest.of(blob))
        self._has_blob(name, blob)

    @rule(name=names, blob=blobs, source=st.none() | names)
    def mount_blob(self, name: str, blob: bytes, source: str | None) -> None:
        try:
            self.registry.mount_blob(name, Digest.of(blob), source)
        except BlobUnknown:
            assert blob not in (self.stored if source is None else self.blobs.get(source, ()))
        else:
            assert blob in (self.stored if source is None else self.blobs[source])
            self._has_blob(name, blob)

    @rule(name=names, blob=blobs)
    def delete_blob(self, name: str, blob: bytes) -> None:
        try:
            self.registry.delete_blob(name, Digest.of(blob))
        except BlobUnknown:
            assert blob not in self.blobs.get(name, ())
        else:
            self.blobs[name].remove(blob)

    @rule(name=names, document=documents, tags=st.sets(tags))
    def push_manifest(self, name: str, document: Document, tags: set[str]) -> None:
        push(self.registry, name, document, *tags)
        self.manifests.setdefault(name, set()).add(document)
        for tag in tags:
            self.tags.setdefault(name, {})[tag] = document

    @rule(name=names, document=documents)
    def delete_manifest(self, name: str, document: Document) -> None:
        try:
            self.registry.delete_manifest(name, document.digest)
        except ManifestUnknown:
            assert document not in self.manifests.get(name, ())
        else:
            self.manifests[name].remove(document)
            kept = {tag: target for tag, target in self.tags.get(name, {}).items() if target != document}
            if name in self.tags:
                self.tags[name] = kept

    @rule(name=names, tag=tags)
    def delete_tag(self, name: str, tag: str) -> None:
        try:
            self.registry.delete_tag(name, tag)
        except ManifestUnknown:
            assert tag not in self.tags.get(name, ())
        else:
            del self.tags[name][tag]

    @rule()
    def restart(self) -> None:
        caches = (MemorySizes(2), MemorySizes(), Sizes())
        self.turns = cycle([StorageRegistry(self.driver, sizes=cache) for cache in caches])

    @rule(limit=st.integers(1, 5))
    def list_repositories(self, limit: int) -> None:
        expected = sorted(self.manifests)
        assert self.registry.list_repositories().items == expected
        assert all_pages(self.registry.list_repositories, limit) == expected

    @rule(name=names, limit=st.integers(1, 3))
    def list_tags(self, name: str, limit: int) -> None:
        try:
            found = all_pages(lambda limit, last: self.registry.list_tags(name, limit, last), limit)
        except NameUnknown:
            assert name not in self.tags
        else:
            assert found == sorted(self.tags[name])

    @rule(name=names, artifact_type=st.sampled_from([None, "t/1", "t/2"]))
    def list_referrers(self, name: str, artifact_type: str | None) -> None:
        expected = {
            document.digest
            for document in self.manifests.get(name, ())
            if document in DOCUMENTS[2:]
            and (artifact_type is None or (artifact_type == "t/1" and document is DOCUMENTS[2]))
        }
        page = self.registry.list_referrers(name, SUBJECT.digest, artifact_type)
        assert [descriptor.digest for descriptor in page.items] == sorted(expected)

    @invariant()
    def everything_reads_back(self) -> None:
        for name in ("a", "a/b"):
            for blob in BLOBS:
                try:
                    size = self.registry.resolve_blob(name, Digest.of(blob)).size
                except BlobUnknown:
                    assert blob not in self.blobs.get(name, ())
                else:
                    assert blob in self.blobs[name]
                    assert size == len(blob)
                    assert read_blob(self.registry, name, Digest.of(blob)) == blob
            for document in DOCUMENTS:
                self._check_manifest(
                    name, document.digest, document in self.manifests.get(name, ()), document
                )
            for tag, document in self.tags.get(name, {}).items():
                self._check_manifest(name, tag, True, document)

    def _check_manifest(self, name: str, target: str, known: bool, document: Document) -> None:
        try:
            found = self.registry.get_manifest(name, target)
        except ManifestUnknown:
            assert not known
        else:
            assert known
            assert found == (document.content, document.media_type, document.digest)

    def _has_blob(self, name: str, blob: bytes) -> None:
        self.blobs.setdefault(name, set()).add(blob)
        self.stored.add(blob)


RegistryMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestRegistry = RegistryMachine.TestCase
