"""Removes tags and manifests: by retention policies, and what was under leases.

A manifest's link goes to quarantine like a blob's data, and for it holds what ``collect.py`` says of that: a
look at the manifest restores it, and so does the next run if anything leads to it. While the link is there,
the manifest's blobs are not garbage. A tag goes at once, for nobody may find it any more; what it pointed at
is noted in quarantine, so that it can be restored. A tag stays that is pushed again meanwhile, or put under a
lease: that is looked for before its deletion and once more after it (see notes.py). Whoever creates a lease
looks at the tag before and after they write it, so they miss the tag, and get no lease, or it is seen here.
"""

from __future__ import annotations

import math
from contextlib import suppress
from functools import partial

from udist_plugin.errors import DigestInvalid, PathNotFound
from udist_plugin.storage import paths
from udist_plugin.storage.collection.notes import Notes
from udist_plugin.storage.collection.quarantine import Entry, Quarantine
from udist_plugin.storage.collection.reading import Reader
from udist_plugin.storage.collection.repository import Held, Plan, Repository, link_of, load, tag_of
from udist_plugin.storage.collection.retention import Policy, Retention
from udist_plugin.storage.collection.step import Step
from udist_plugin.storage.collection.walk import repositories
from udist_plugin.storage.leases import Leases
from udist_plugin.storage.links import link_content
from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from udist_plugin.drivers.base import StorageDriver
    from udist_plugin.oci.digest import Digest
    from udist_plugin.storage.collection.quarantine import Taking
    from udist_plugin.storage.collection.step import Progress
    from udist_plugin.storage.leases import Release

UNTAGGED = "no tag leads to it"
YOUNG = f"{UNTAGGED}, but it is not old enough yet"
PUSH_MAX: Final = 3600.0
"""Seconds for which a manifest's tags may follow its link."""


class Tidying:
    """One run: ``look`` before the pause, ``plan`` after it, ``run`` when all could be read."""

    def __init__(
        self,
        driver: StorageDriver,
        taking: Taking,
        retention: Retention,
        *,
        apply: bool,
        progress: Progress = lambda *_: None,
    ) -> None:
        self.ending: set[str] = set()
        """The paths of links in quarantine that this run deletes."""
        self._driver = driver
        self._quarantine = Quarantine(driver)
        self._taking = taking
        self._retention = retention
        self._leases = Leases(driver)
        self._apply = apply
        self._progress = progress
        self._read = 0
        self._due: dict[str, list[Entry]] = {}
        self._waiting: dict[str, list[Entry]] = {}
        self._held: dict[str, Held] = {}
        self._now = 0.0
        self._plans: list[tuple[Repository, Plan]] = []

    @property
    def has_due(self) -> bool:
        return bool(self._due)

    def look(self, due: Iterable[str], waiting: Iterable[str]) -> None:
        """Lists the links in quarantine, of these runs."""
        for runs, found in (due, self._due), (waiting, self._waiting):
            for run in runs:
                for entry in self._quarantine.links(run):
                    found.setdefault(_name(entry), []).append(entry)

    def plan(self, now: float, before: float) -> None:
        """Decides what goes. Raises ``StorageError`` for what cannot be listed or read."""
        self._now = now
        self._held = _held(self._leases)
        reader = Reader(self._driver)
        before = min(before, now - self._retention.delay)
        for name in self._names():
            repository = load(reader, name, self._count)
            plan = repository.plan(
                self._retention.policy(name) or Policy(),
                self._held.get(name, Held()),
                now=now,
                before=before,
                is_younger=partial(self._is_younger, name),
            )
            self._plans.append((repository, plan))
            for entry in self._due.get(name, ()):
                digest = _digest(entry)
                if digest in plan.manifests and digest in repository.quarantined:
                    self.ending.add(entry.path)
                    for tag, subject in plan.followers.items():
                        if subject == digest:
                            plan.tags[tag] = f"follows {digest}"

    def run(self) -> Iterator[Step]:
        """Does, or without ``apply`` shows, what was planned."""
        for repository, plan in self._plans:
            for tag, reason in sorted(plan.tags.items()):
                yield from self._untag(repository, tag, reason)
            yield from self._settle(repository, plan)
            for digest in sorted(plan.manifests - repository.quarantined):
                with suppress(PathNotFound):  # deleted by another
                    if not self._apply or self._taking.take(link_of(repository.name, digest)):
                        yield Step("quarantine", digest, 0, repository.name, reason=UNTAGGED)
            for digest in sorted(plan.young):
                yield Step("keep", digest, 0, repository.name, reason=YOUNG)
            if self._apply:
                for release in plan.settled:
                    self._leases.settle(release)

    def _count(self, more: int) -> None:
        self._read += more
        self._progress("manifests and tags read", self._read)

    def _names(self) -> list[str]:
        """The repositories in which something may go."""
        names = {*self._due, *self._waiting, *(name for name, held in self._held.items() if held.released)}
        if self._retention.policies:
            names.update(filter(self._retention.policy, repositories(self._driver)))
        return sorted(names)

    def _untag(self, repository: Repository, tag: str, reason: str) -> Iterator[Step]:
        digest, pushed = repository.tags[tag]
        step = Step("untag", digest, 0, repository.name, tag, reason)
        if not self._apply:
            yield step
            return
        folder, content = tag_of(repository.name, tag), link_content(digest)
        current = f"{folder}/{paths.CURRENT}"

        def take() -> bool:
            found = self._driver.stat(current).modified
            if found != pushed or self._is_being_pushed(repository.name, digest, pushed):
                return False
            self._driver.put_content(Entry(self._taking.run(), current).path, content)
            return self._driver.delete_if(folder, paths.CURRENT, content)

        with suppress(PathNotFound):  # deleted by another
            if Notes(self._driver).delete(current, content, take):
                yield step

    def _settle(self, repository: Repository, plan: Plan) -> Iterator[Step]:
        """What is in quarantine goes back if it is wanted, or else is deleted once it is due."""
        name = repository.name
        due, waiting = self._due.get(name, []), self._waiting.get(name, [])
        later = {_digest(entry) for entry in waiting}
        for entry in (*due, *waiting):
            digest = _digest(entry)
            with suppress(PathNotFound):  # done by another
                if digest in repository.quarantined and digest not in plan.manifests:
                    if self._apply:
                        self._quarantine.restore(entry)
                    repository.quarantined.discard(digest)
                    yield Step("restore", digest, 0, name)
                elif digest in repository.quarantined:
                    yield Step("wait" if digest in later else "delete", digest, 0, name)
                if self._apply and entry in due:
                    self._quarantine.drop(entry)

    def _is_being_pushed(self, name: str, digest: Digest, pushed: float) -> bool:
        """Whether a push may be about to write a tag again: it has written the manifest's link later."""
        return self._linked(name, digest) > max(pushed, self._now - PUSH_MAX)

    def _is_younger(self, name: str, digest: Digest, time: float) -> bool:
        return self._linked(name, digest) >= time

    def _linked(self, name: str, digest: Digest) -> float:
        """When a manifest's link was written, in seconds since 1970; long ago if it does not stand."""
        try:
            return self._driver.stat(link_of(name, digest)).modified
        except PathNotFound:
            return 0.0


def restore_links(driver: StorageDriver, quarantine: Quarantine) -> Iterator[Step]:
    """Restores all manifests that are in quarantine, and the tags as they were removed last: if they do not
    stand again, and what a tag pointed at was not deleted since."""
    entries = [entry for run in quarantine.runs() for entry in quarantine.links(run)]
    taken = {entry: _taken(driver, entry) for entry in entries if _digest(entry) is None}
    reader = Reader(driver)
    for entry in sorted(entries, key=lambda entry: -taken.get(entry, math.inf)):  # manifests come first
        with suppress(PathNotFound):
            digest = _digest(entry) or reader.link(entry.path)
            name, tag = _name(entry), _tag(entry)
            if (
                digest is not None
                and not driver.stands(entry.origin)
                and (not tag or driver.stands(link_of(name, digest)))
            ):
                quarantine.restore(entry)
                yield Step("restore", digest, 0, name, tag)
            if tag:  # or it would come back once more if somebody deletes it
                quarantine.drop(entry)


def _taken(driver: StorageDriver, entry: Entry) -> float:
    """When a file was moved to quarantine, in seconds since 1970."""
    try:
        return driver.stat(entry.path).modified
    except PathNotFound:
        return 0.0


def _held(leases: Leases) -> dict[str, Held]:
    """By the names of repositories. What is released is read first: it may be under a new lease."""
    released: dict[str, list[Release]] = {}
    for release in leases.releases():
        released.setdefault(release.lease.name, []).append(release)
    owners: dict[str, dict[Digest | str, set[str]]] = {}
    for (owner, name, target), digest in leases.pinned():
        for each in target, digest:
            owners.setdefault(name, {}).setdefault(each, set()).add(owner)
    return {
        name: Held(owners.get(name, {}), tuple(released.get(name, ())))
        for name in released.keys() | owners.keys()
    }


def _name(entry: Entry) -> str:
    return entry.origin.removeprefix(f"{paths.REPOSITORIES}/").rpartition(f"/{paths.MANIFESTS}/")[0]


def _tag(entry: Entry) -> str:
    _, found, tag = entry.origin.rpartition(f"/{paths.MANIFESTS}/tags/")
    return tag.removesuffix(f"/{paths.CURRENT}") if found else ""


def _digest(entry: Entry) -> Digest | None:
    """That of a manifest, ``None`` of a tag."""
    with suppress(DigestInvalid):
        return entry.digest
    return None
