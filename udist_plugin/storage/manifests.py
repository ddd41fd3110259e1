"""Manifests of a repository: a blob, a revision link, and the tags that point at it."""

from __future__ import annotations

from contextlib import suppress
from threading import BoundedSemaphore

from udist_plugin.errors import DigestInvalid, FileTooLarge, ManifestInvalid, ManifestUnknown, PathNotFound
from udist_plugin.oci.descriptor import Descriptor
from udist_plugin.oci.digest import HEX_LENGTHS, Digest
from udist_plugin.oci.manifest import MANIFEST_MAX
from udist_plugin.oci.reference import check_tag
from udist_plugin.oci.stored import read_stored
from udist_plugin.registry import ManifestContent
from udist_plugin.storage import paths
from udist_plugin.storage.cache import Cache
from udist_plugin.storage.data import BlobData
from udist_plugin.storage.links import link_content, write_link
from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from udist_plugin.content import Content
    from udist_plugin.drivers.base import StorageDriver
    from udist_plugin.oci.manifest import Manifest
    from udist_plugin.storage.tags import TagStore

FACTS: Final = 8192
"""Manifests of which is kept in memory what their digest stands for."""
CONTENTS: Final = 128
CONTENT_MAX: Final = 16 << 10
"""Manifests that are kept whole, and the longest of them in bytes: 2 MiB in all. Most are far smaller."""

LARGE: Final = 128 << 10
"""Bytes of a manifest above which it is sent from where it stands, and not from memory."""
FEW: Final = 4
"""Such manifests that are looked at at once."""


class Fact:
    """What is true of a manifest's digest for ever."""

    __slots__ = ("media_type", "size", "subject")

    def __init__(self, media_type: str, size: int, subject: Digest | None) -> None:
        self.media_type = media_type
        self.size = size
        self.subject = subject


class ManifestStore:
    """The manifest verbs of ``Registry``. ``data`` finds what was pushed before."""

    def __init__(self, driver: StorageDriver, tags: TagStore, data: BlobData | None = None) -> None:
        self._driver = driver
        self._data = data or BlobData(driver)
        self._tags = tags
        self._facts: Cache[Digest, Fact] = Cache(FACTS)
        self._contents: Cache[Digest, bytes] = Cache(CONTENTS)
        self._few = BoundedSemaphore(FEW)

    def resolve(self, name: str, target: Digest | str) -> Descriptor:
        digest, stored = self._locate(name, target)
        if (fact := self._facts.get(digest)) is None:
            fact = self._look_at(digest, stored)
        elif not self._holds(stored, fact.size):
            raise _unknown(name, digest)
        return Descriptor(fact.media_type, digest, fact.size)

    def get(self, name: str, target: Digest | str) -> ManifestContent:
        digest, stored = self._locate(name, target)
        content = self._content(digest, stored, MANIFEST_MAX)
        return ManifestContent(content, self._fact(digest, content).media_type, digest)

    def open(self, name: str, target: Digest | str) -> tuple[Descriptor, bytes | Content]:
        digest, stored = self._locate(name, target)
        try:
            content = self._content(digest, stored, LARGE)
            return Descriptor(self._fact(digest, content).media_type, digest, len(content)), content
        except FileTooLarge:
            fact = self._look_at_large(digest, stored)
        try:
            return Descriptor(fact.media_type, digest, fact.size), self._data.open(stored)
        except PathNotFound:
            raise ManifestUnknown({"Revision": digest}) from None

    def push(self, name: str, manifest: Manifest, tags: Sequence[str]) -> Descriptor:
        """Blob, revision, tags: each durable before the next, so that nothing points at what may vanish.

        No one looks a tag up by its index link, so it may come and go with the revision, and be lost.
        """
        for tag in tags:
            check_tag(tag)
        content, digest = manifest.content, manifest.digest
        if (kind := manifest.media_type) != manifest.stated_type:
            raise ManifestInvalid(f"mediaType: {kind!r} must stand in the document, which has none")
        links = [paths.link(paths.revision(name, digest))]
        if not self._driver.exists(paths.layers(name)):
            # Stock servers know a repository by this folder, and their collector marks no other.
            links.append(paths.link(paths.layer(name, digest)))
        index = [paths.tag_index(name, tag, digest) for tag in tags]
        link = link_content(digest)
        self._driver.put_contents(
            {paths.blob_data(digest): content},
            dict.fromkeys(links + index, link),
            {paths.tag_current(name, tag): link for tag in tags},
            may_vanish=index,
        )
        if tags and not self._stands(name, digest):
            # Deleted meanwhile by one who did not see these tags. It looks for tags once more after it took
            # the revision, and this looks for the revision after the tags: one of the two notices.
            self._link(name, digest)
        self._note(manifest)
        return Descriptor(kind, digest, len(content))

    def delete(self, name: str, digest: Digest) -> list[str]:
        """Returns the tags that went with it.

        The tags go first: a tag whose manifest is gone is an error, a manifest without tags is not.

        A tag that is moved to another manifest meanwhile stays; see ``StorageDriver.delete_if``.
        """
        if not self._stands(name, digest) and self._data.revision(name, digest) is None:
            raise _unknown(name, digest)
        deleted = self._delete_tags(name, digest)
        with suppress(PathNotFound):  # deleted by another at the same time
            self._driver.delete(paths.revision(name, digest))
        self._data.forget_revision(name, digest)
        if not self._stands(name, digest):
            deleted += self._delete_tags(name, digest)
        return deleted

    def revisions(self, name: str) -> Iterator[Digest]:
        """Digests that have, or had, a revision link; see ``has``."""
        for algorithm, length in HEX_LENGTHS.items():
            try:
                names = self._driver.list(f"{paths.revisions(name)}/{algorithm}")
            except PathNotFound:
                continue
            for encoded in names:
                if len(encoded) == length:
                    with suppress(DigestInvalid):
                        yield Digest(f"{algorithm}:{encoded}")

    def subject(self, name: str, digest: Digest) -> Digest | None:
        """The manifest's subject, if it has one. Raises ``ManifestUnknown`` or ``StorageError``."""
        if (fact := self._facts.get(digest)) is None:
            fact = self._look_at(*self._locate(name, digest))
        return fact.subject

    def referrer(self, name: str, digest: Digest) -> Descriptor:
        """The manifest as it stands in a list of referrers (distribution-spec, "Listing Referrers").

        Raises ``ManifestUnknown`` or ``StorageError``.
        """
        content = self._read(*self._locate(name, digest))
        manifest = read_stored(content, digest)
        return Descriptor(
            manifest.media_type, digest, len(content), manifest.referrer_type, manifest.annotations
        )

    def _locate(self, name: str, target: Digest | str) -> tuple[Digest, Digest]:
        """A manifest's digest, and that of the blob that it is. Raises ``ManifestUnknown``."""
        digest = target if isinstance(target, Digest) else self._tags.get(name, target)
        stored = self._data.revision(name, digest)
        if stored is None:
            raise _unknown(name, digest)
        return digest, stored

    def _holds(self, stored: Digest, size: int) -> bool:
        """Whether the bytes of a manifest that is known stand there, all of them."""
        try:
            return self._data.stat(stored).size == size
        except PathNotFound:
            return False

    def _look_at(self, digest: Digest, stored: Digest) -> Fact:
        """What a manifest says, which is read for it. Raises as ``_read``."""
        try:
            return self._fact(digest, self._content(digest, stored, LARGE))
        except FileTooLarge:
            return self._look_at_large(digest, stored)

    def _look_at_large(self, digest: Digest, stored: Digest) -> Fact:
        with self._few:
            return self._fact(digest, self._read(digest, stored))

    def _content(self, digest: Digest, stored: Digest, limit: int) -> bytes:
        """A manifest's bytes, those that are kept if they still stand. Raises as ``_read``."""
        content = self._contents.get(digest)
        if content is None:
            return self._read(digest, stored, limit)
        if not self._holds(stored, len(content)):
            raise ManifestUnknown({"Revision": digest})
        return content

    def _read(self, digest: Digest, stored: Digest, limit: int = MANIFEST_MAX) -> bytes:
        """Bytes of another digest, as a crash of another server leaves them, count as absent: every client
        heals that by pushing the manifest again. Raises ``ManifestUnknown``, and ``FileTooLarge`` for more
        than ``limit``."""
        try:
            content = self._data.content(stored, limit)
        except PathNotFound:
            raise ManifestUnknown({"Revision": digest}) from None
        if Digest.of(content, digest.algorithm) != digest:
            problem = f"{paths.blob_data(stored)} holds different content; push the manifest again"
            raise ManifestUnknown({"Revision": digest, "stored": problem})
        if len(content) <= CONTENT_MAX:
            self._contents.put(digest, content)
        return content

    def _fact(self, digest: Digest, content: bytes) -> Fact:
        return self._facts.get(digest) or self._learn(digest, content)

    def _learn(self, digest: Digest, content: bytes) -> Fact:
        return self._note(read_stored(content, digest))

    def _note(self, manifest: Manifest) -> Fact:
        subject = manifest.subject.digest if manifest.subject else None
        fact = Fact(manifest.media_type, len(manifest.content), subject)
        self._facts.put(manifest.digest, fact)
        return fact

    def _stands(self, name: str, digest: Digest) -> bool:
        return self._driver.stands(paths.link(paths.revision(name, digest)))

    def _link(self, name: str, digest: Digest) -> None:
        write_link(self._driver, paths.link(paths.revision(name, digest)), digest)

    def _delete_tags(self, name: str, digest: Digest) -> list[str]:
        deleted = []
        for tag in self._tags.pointing_at(name, digest):
            with suppress(ManifestUnknown):  # deleted by another at the same time
                self._tags.delete(name, tag, digest)
                deleted.append(tag)
        return deleted


def _unknown(name: str, digest: Digest) -> ManifestUnknown:
    return ManifestUnknown({"Name": name, "Revision": digest})
