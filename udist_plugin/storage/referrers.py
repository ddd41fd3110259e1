"""Who refers to a manifest as its subject.

What a manifest's subject is follows from its bytes, so it is true of its digest for ever. The index of a
repository is a list of such pairs; whatever revision it lacks, a stock server's too, is read and noted. So
the index is never wrong, only short, and losing it costs nothing but time.
"""

from __future__ import annotations

from contextlib import suppress

from udist_plugin.errors import DigestInvalid, ManifestUnknown, StorageError
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.manifest import MANIFEST_MAX
from udist_plugin.registry import Page
from udist_plugin.storage import paths
from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from udist_plugin.drivers.base import StorageDriver
    from udist_plugin.oci.descriptor import Descriptor
    from udist_plugin.storage.manifests import ManifestStore

INDEX_MAX: Final = 64 << 20
"""A larger index is not read, in bytes: some 400,000 manifests of one repository."""
UNSAVED_MAX: Final = 32
"""Manifests not in the index that are read again rather than saved, at least; or an eighth of the index."""
PAGE_MAX: Final = 1000
"""Referrers on a page; their manifests are together at most as large as the largest single one."""

Subjects = dict[Digest, Digest | None]


class ReferrerIndex:
    """Lists referrers. ``save`` is off for a store that must not be written to."""

    def __init__(self, driver: StorageDriver, manifests: ManifestStore, *, save: bool = True) -> None:
        self._driver = driver
        self._manifests = manifests
        self._save = save

    def list(
        self,
        name: str,
        subject: Digest,
        artifact_type: str | None = None,
        last: str = "",
        *,
        subjects: Subjects | None = None,
    ) -> Page[Descriptor]:
        """A page of referrers, by the index as it is now or by ``subjects``, a snapshot of it."""
        subjects = self.subjects(name) if subjects is None else subjects
        candidates = sorted(
            digest for digest, found in subjects.items() if found == subject and digest > last
        )
        page: list[Descriptor] = []
        room = MANIFEST_MAX
        for digest in candidates:
            try:
                referrer = self._manifests.referrer(name, digest)
            except (ManifestUnknown, StorageError):
                continue  # deleted, or unreadable: it can be no one's signature now
            if artifact_type is not None and referrer.artifact_type != artifact_type:
                continue
            if page and (len(page) == PAGE_MAX or referrer.size > room):
                return Page(page, page[-1].digest)
            room -= referrer.size
            page.append(referrer)
        return Page(page)

    def subjects(self, name: str) -> Subjects:
        """The subject of every revision that stands, or stood a moment ago."""
        index = read_index(self._driver, name)
        known: Subjects = {}
        unsaved = 0
        for digest in self._manifests.revisions(name):
            if digest in index:
                known[digest] = index[digest]
                continue
            with suppress(ManifestUnknown, StorageError):
                known[digest] = self._manifests.subject(name, digest)
                unsaved += 1
        if self._save and unsaved > max(UNSAVED_MAX, len(index) // 8):
            self._store(name, known)
        return known

    def _store(self, name: str, subjects: Subjects) -> None:
        lines = "".join(
            f"{digest} {subject}\n" if subject else f"{digest}\n" for digest, subject in subjects.items()
        )
        with suppress(StorageError):  # the answer does not depend on it
            self._driver.put_content(paths.subjects(name), lines.encode("ascii"), durable=False)


def read_index(driver: StorageDriver, name: str) -> Subjects:
    """The index of a repository, as it stands in the store; empty if it cannot be read."""
    try:
        content = driver.get_content(paths.subjects(name), INDEX_MAX)
    except StorageError:
        return {}
    index: Subjects = {}
    # A power failure may cut the file anywhere. Cut behind a digest, a line says that it has no subject.
    whole_lines = content[: content.rfind(b"\n") + 1]
    for line in whole_lines.decode("ascii", "replace").splitlines():
        digest, _, subject = line.partition(" ")
        with suppress(DigestInvalid):
            index[Digest(digest)] = Digest(subject) if subject else None
    return index
