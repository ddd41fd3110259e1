"""What stands in a repository, and which of it hangs together: the tags and manifests that go.

A manifest is kept if a tag or a lease leads to it, if it belongs to one that is kept, or if it is not among
those that may go at all. What it refers to belongs to it, such as the manifests of an index, and so do its
referrers: those that name it as their subject, and those that a tag of the form ``sha256-…`` leads to.
"""

from __future__ import annotations

from contextlib import suppress

from udist_plugin.errors import DigestInvalid, InvalidPath, PathNotFound
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.reference import tag_matcher
from udist_plugin.oci.stored import read_stored
from udist_plugin.storage import paths
from udist_plugin.storage.collection.batches import looked_up
from udist_plugin.storage.collection.quarantine import Quarantine
from udist_plugin.storage.collection.retention import Policy, Tag, subject_prefix
from udist_plugin.storage.collection.walk import is_file, links_in, listed
from udist_plugin.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator, Mapping

    from udist_plugin.storage.collection.reading import Reader
    from udist_plugin.storage.leases import Release

ORPHANED: Final = "its subject is gone"


class Revision(NamedTuple):
    """A manifest: which others of the repository it refers to, and its subject, wherever that is."""

    refers: frozenset[Digest]
    subject: Digest | None


class Held(NamedTuple):
    """What leases say of a repository: who needs which tags and digests, and what was released."""

    owners: Mapping[Digest | str, Container[str]] = {}
    released: tuple[Release, ...] = ()


class Plan(NamedTuple):
    """The tags that go, each with the reason, and the manifests; some of these may be in quarantine.

    ``followers`` are tags that go when their subject is deleted, ``settled`` the releases that are done with
    once the others have gone, ``young`` manifests that would go if they or those to which they belong were
    older.
    """

    tags: dict[str, str]
    manifests: frozenset[Digest]
    followers: dict[str, Digest]
    settled: tuple[Release, ...]
    young: frozenset[Digest]


class Repository:
    """A repository as it was found. ``quarantined`` are the manifests of which nothing stands in place."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.quarantined: set[Digest] = set()
        self.tags: dict[str, Tag] = {}
        self._revisions: dict[Digest, Revision] = {}
        self._by_prefix: dict[str, Digest] = {}

    def add(self, digest: Digest, revision: Revision, in_quarantine: bool) -> None:
        """A manifest that was found."""
        self._revisions[digest] = revision
        self._by_prefix[_prefix(digest)] = digest
        if in_quarantine:
            self.quarantined.add(digest)

    def plan(
        self,
        policy: Policy,
        held: Held,
        *,
        now: float,
        before: float,
        is_younger: Callable[[Digest, float], bool],
    ) -> Plan:
        """What goes by a policy, and by what leases hold and held.

        Untagged manifests stay until they are older than ``before``; ``is_younger`` tells whether the link of
        one was written at a time or after it. All times are in seconds since 1970.
        """
        tags = policy.removed(self.tags, now)
        if policy.referrers:
            tags |= dict.fromkeys(filter(self._is_orphan, self.tags), ORPHANED)
        released: dict[Digest, float] = {}
        for lease, digest, time in held.released:
            if self._is_released(lease.target, digest, time):
                tags[lease.target] = f"released by {lease.owner}"
            if digest in self._revisions and digest not in held.owners:
                released[digest] = max(time, released.get(digest, time))
        tags = {tag: reason for tag, reason in tags.items() if tag not in held.owners}
        gone, young = self._gone(policy, held, tags, released, before, is_younger)
        subjects = {tag: self._subject(tag) for tag in self.tags.keys() - tags.keys() - held.owners.keys()}
        return Plan(
            tags,
            gone,
            {tag: each for tag, each in subjects.items() if each and each in gone},
            tuple(release for release in held.released if self._is_settled(release, held)),
            young,
        )

    def _is_released(self, tag: str, digest: Digest, time: float) -> bool:
        """Whether a tag points at what it did when a lease on it was released at a time, and was not pushed
        since: otherwise it is somebody else's."""
        points = self.tags.get(tag)
        return points is not None and points.digest == digest and points.pushed < time

    def _is_settled(self, release: Release, held: Held) -> bool:
        """Not while its owner is about to drop the lease, or has a new one; nor while another's lease keeps a
        tag that was moved back meanwhile, and goes once that is released, too."""
        (owner, _, target), digest, time = release
        if any(owner in held.owners.get(each, ()) for each in (target, digest)):
            return False
        is_kept = target in held.owners and digest not in held.owners
        return not (is_kept and self._is_released(target, digest, time))

    def leading(self) -> Iterator[tuple[str, Digest]]:
        """The tags, each with what it leads to; those are left out that follow a subject that is here."""
        for name, tag in self.tags.items():
            if tag.digest in self._revisions and self._subject(name) is None:
                yield name, tag.digest

    def untagged(self) -> set[Digest]:
        """The manifests that belong to nothing that a tag leads to."""
        return self._revisions.keys() - self.belonging({digest for _, digest in self.leading()})

    def _gone(
        self,
        policy: Policy,
        held: Held,
        removed: Container[str],
        released: Mapping[Digest, float],
        before: float,
        is_younger: Callable[[Digest, float], bool],
    ) -> tuple[frozenset[Digest], frozenset[Digest]]:
        """The manifests that go, ``removed`` being the tags that do, and those that are too young for it."""
        since: dict[Digest, float] = {}
        for digest, time in released.items():  # what was pushed after the release is somebody else's
            since |= dict.fromkeys(self.belonging([digest]), time)
        candidates = self.quarantined | self.belonging(released)
        if policy.untagged:
            candidates |= self._revisions.keys() - (() if policy.referrers else self._orphans())
        elif policy.referrers:
            candidates |= self._referring(self._orphans())
        roots = (self._revisions.keys() - candidates) | self._held(held, removed)
        gone = frozenset(candidates - self.belonging(roots))
        young = {
            each for each in sorted(gone - self.quarantined) if is_younger(each, since.get(each, before))
        }
        kept = gone & self.belonging(young)
        return gone - kept, kept - self.quarantined - since.keys()

    def belonging(
        self, roots: Iterable[Digest], referrers: Mapping[Digest, Iterable[Digest]] | None = None
    ) -> set[Digest]:
        """``roots``, and all that belongs to them. Who asks often gives ``referrers``."""
        found = {digest for digest in roots if digest in self._revisions}
        left = list(found)
        referrers = self.referrers() if referrers is None else referrers
        while left:
            digest = left.pop()
            for each in (*self._revisions[digest].refers, *referrers.get(digest, ())):
                if each not in found and each in self._revisions:
                    found.add(each)
                    left.append(each)
        return found

    def _referring(self, found: set[Digest]) -> set[Digest]:
        """Manifests, their referrers, and the referrers of these."""
        referrers = self.referrers()
        left = list(found)
        while left:
            new = {each for each in referrers.get(left.pop(), ()) if each not in found}
            found |= new
            left += new
        return found

    def referrers(self) -> dict[Digest, list[Digest]]:
        """Those of each manifest, by either way to name a subject."""
        found: dict[Digest, list[Digest]] = {}
        for digest, revision in self._revisions.items():
            if revision.subject in self._revisions:
                found.setdefault(revision.subject, []).append(digest)
        for tag, (digest, _) in self.tags.items():
            if (subject := self._subject(tag)) is not None:
                found.setdefault(subject, []).append(digest)
        return found

    def _orphans(self) -> set[Digest]:
        """The referrers of what is not here: signatures are also kept beside another repository's images."""
        found = {
            digest
            for digest, revision in self._revisions.items()
            if revision.subject is not None and revision.subject not in self._revisions
        }
        return found | {tag.digest for name, tag in self.tags.items() if self._is_orphan(name)}

    def _is_orphan(self, tag: str) -> bool:
        return subject_prefix(tag) is not None and self._subject(tag) is None

    def _subject(self, tag: str) -> Digest | None:
        """The manifest that a tag follows, if it is here."""
        return self._by_prefix.get(subject_prefix(tag) or "")

    def _held(self, held: Held, removed: Container[str]) -> set[Digest]:
        """What leases and tags lead to, without the tags that go and those that follow what is here."""
        leads = {
            tag.digest
            for name, tag in self.tags.items()
            if name in held.owners or (name not in removed and self._subject(name) is None)
        }
        return leads | {target for target in held.owners if isinstance(target, Digest)}


def load(reader: Reader, name: str, read: Callable[[int], object] = lambda _: None) -> Repository:
    """``read`` is told each time how many more manifests or tags were read. Raises ``StorageError`` for what
    cannot be listed or read."""
    manifests = f"{paths.REPOSITORIES}/{name}/{paths.MANIFESTS}"
    # A link may move from one to the other meanwhile: see ``mark``.
    found = (*_quarantined(reader, name), *_digests(reader, manifests), *_quarantined(reader, name))
    digests = dict.fromkeys(found)
    repository = Repository(name)
    driver = reader.driver
    for looks in looked_up(driver, lambda digest: (digest, _look(reader, name, digest, digests)), digests):
        found_revisions = dict(looks)
        for digest, look in found_revisions.items():
            if look is not None:
                repository.add(digest, *look)
        read(len(found_revisions))
    tags = filter(tag_matcher(), listed(driver, f"{manifests}/tags"))
    for lookups in looked_up(driver, lambda tag: (tag, _tag(reader, name, tag)), tags):
        found_tags = dict(lookups)
        repository.tags.update((tag, points) for tag, points in found_tags.items() if points is not None)
        read(len(found_tags))
    return repository


def link_of(name: str, digest: Digest) -> str:
    """The path of a manifest's link, also in a repository whose name no registry would serve."""
    return f"{paths.REPOSITORIES}/{name}/{paths.MANIFESTS}/revisions/{digest.replace(':', '/')}/link"


def tag_of(name: str, tag: str) -> str:
    """The path of a tag's folder, in the same way."""
    return f"{paths.REPOSITORIES}/{name}/{paths.MANIFESTS}/tags/{tag}"


def _quarantined(reader: Reader, name: str) -> Iterator[Digest]:
    for run in Quarantine(reader.driver).runs():
        yield from _digests(reader, f"{paths.QUARANTINE}/{run}/repositories/{name}/{paths.MANIFESTS}")


def _digests(reader: Reader, manifests: str) -> Iterator[Digest]:
    for path in links_in(reader.driver, f"{manifests}/revisions"):
        *_, algorithm, encoded, _ = path.split("/")
        with suppress(DigestInvalid):
            yield Digest(f"{algorithm}:{encoded}")


def _look(reader: Reader, name: str, digest: Digest, digests: Container[str]) -> tuple[Revision, bool] | None:
    """A manifest, and whether it was found in quarantine; ``None`` if it was deleted."""
    link = link_of(name, digest)
    target = reader.link(link)
    in_quarantine = target is None
    if target is None and (target := reader.link_in_quarantine(link)) is None:
        return None
    if (content := reader.manifest(target, link)) is None:
        return None
    refers = {Digest(text) for text in reader.strings(content, target) if text in digests}
    subject = read_stored(content, target).subject
    return Revision(frozenset(refers - {digest}), subject.digest if subject else None), in_quarantine


def _tag(reader: Reader, name: str, tag: str) -> Tag | None:
    folder = tag_of(name, tag)
    current = f"{folder}/{paths.CURRENT}"
    try:
        if (digest := reader.link(current)) is not None:
            return Tag(digest, reader.driver.stat(current).modified)
    except PathNotFound:
        pass
    except InvalidPath:  # below a file, which is no tag
        if not is_file(reader.driver, folder):
            raise
    return None


def _prefix(digest: Digest) -> str:
    return f"{digest.algorithm}:{digest.hex[:64]}"
