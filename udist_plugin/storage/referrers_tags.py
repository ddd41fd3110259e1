"""Tags by which stock servers, and clients that talk to them, find the manifests that refer to another.

They know nothing of referrers, so for each subject a tag ``sha256-<hex>`` points at an index of what refers
to it (distribution-spec, "Referrers Tag Schema"). A client that pushes a signature here is told that the
registry lists it (``OCI-Subject``) and writes no such tag. Then a stock server on the same store would not
find the signature, and its collector would delete it. So the tag is kept in step here.
"""

from __future__ import annotations

import re
from contextlib import suppress

from udist_plugin.errors import ManifestTooLarge, ManifestUnknown
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.manifest import Manifest
from udist_plugin.oci.media_types import INDEXES, OCI_INDEX
from udist_plugin.oci.reference import referrers_tag
from udist_plugin.oci.stored import read_stored
from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from udist_plugin.oci.descriptor import Descriptor
    from udist_plugin.storage.manifests import ManifestStore
    from udist_plugin.storage.referrers import ReferrerIndex, Subjects
    from udist_plugin.storage.tags import TagStore

ATTEMPTS: Final = 8
"""How often a tag is written that others keep changing: each of them does the same."""


class ReferrersTags:
    """Keeps the tags of repositories in step with ``index``."""

    def __init__(self, manifests: ManifestStore, tags: TagStore, index: ReferrerIndex) -> None:
        self._manifests = manifests
        self._tags = tags
        self._index = index

    def sync(self, name: str, subject: Digest, found: Subjects | None = None) -> bool:
        """Makes, extends, shrinks or deletes the tag of ``subject``; whether there was anything to do.

        No store compares and swaps a tag. So it is written again until it equals the index: of several who
        change the referrers at once, the last one to look sees what all of them did. A tag that points at
        something else than an index is left alone, and so is one whose index would be too large. The index
        before stays, untagged, for a collector. ``found`` is a snapshot of the index, or of what in it
        refers to ``subject``, for the first attempt; after a write the index is read again.
        """
        tag = referrers_tag(subject)
        for attempt in range(ATTEMPTS):
            current = self._current(name, tag)
            if current is not None and current.media_type not in INDEXES:
                return False
            subjects = self._index.subjects(name) if found is None or attempt else found
            try:
                wanted = self._wanted(name, subject, current, subjects)
            except ManifestTooLarge:
                return False
            if (wanted and wanted.digest) == (current and current.digest):
                return attempt > 0
            if wanted is not None:
                self._manifests.push(name, wanted, [tag])
            elif current is not None:
                with suppress(ManifestUnknown):  # deleted by another
                    self._tags.delete(name, tag, current.digest)
        return True

    def sync_all(self, name: str) -> int:
        """Brings every tag of a repository up to date; the number of those that were not."""
        found: dict[Digest, Subjects] = {}
        for digest, subject in self._index.subjects(name).items():
            if subject:
                found.setdefault(subject, {})[digest] = subject
        subjects = {*found, *self._tagged(name)}
        return sum(self.sync(name, subject, found.get(subject, {})) for subject in sorted(subjects))

    def _wanted(
        self, name: str, subject: Digest, current: Manifest | None, subjects: Subjects
    ) -> Manifest | None:
        """The index to point at, ``None`` if nothing refers to ``subject``."""
        import json

        listed = {item.digest: item for item in self._referrers(name, subject, subjects)}
        for item in current.manifests if current else ():
            if item.digest not in listed and self._is_others(name, item.digest, subject):
                listed[item.digest] = item
        if not listed:
            return None
        document = {
            "schemaVersion": 2,
            "mediaType": OCI_INDEX,
            "manifests": [listed[digest].to_json() for digest in sorted(listed)],
        }
        return Manifest.parse(json.dumps(document, separators=(",", ":")).encode())

    def _referrers(self, name: str, subject: Digest, subjects: Subjects) -> Iterator[Descriptor]:
        last: str | None = ""
        while last is not None:
            items, last = self._index.list(name, subject, None, last, subjects=subjects)
            yield from items

    def _is_others(self, name: str, digest: Digest, subject: Digest) -> bool:
        """Whether an entry was put there by a client though its manifest does not name the subject."""
        try:
            return self._manifests.subject(name, digest) != subject
        except ManifestUnknown:
            return False

    def _current(self, name: str, tag: str) -> Manifest | None:
        try:
            found = self._manifests.get(name, tag)
        except ManifestUnknown:
            return None
        return read_stored(found.content, found.digest)

    def _tagged(self, name: str) -> Iterator[Digest]:
        """The subjects that tags name, as far as they name them whole."""
        for tag in self._tags.names(name):
            if re.fullmatch("sha256-[0-9a-f]{64}", tag):
                yield Digest(tag.replace("-", ":"))
