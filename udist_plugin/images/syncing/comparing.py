"""What of a repository differs: lists and digests, and no content."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from udist_plugin.errors import ManifestUnknown, NameUnknown
from udist_plugin.images.syncing.result import Synced

if TYPE_CHECKING:
    from udist_plugin.images.syncing.job import Job
    from udist_plugin.images.transports.base import Repositories
    from udist_plugin.oci.digest import Digest


class Listed(NamedTuple):
    """The tags that a repository should have at the destination, and those that it has there."""

    job: Job
    wanted: list[str]
    there: frozenset[str]


class Compared(NamedTuple):
    """A tag or digest, the digest that it has at its source, and whether the destination has the same."""

    job: Job
    target: str
    digest: Digest
    same: bool

    def synced(self, destination: Repositories) -> Synced:
        return Synced(
            str(self.job.source.reference(self.job.name, self.target)),
            str(destination.reference(self.job.target, self.target)),
            self.digest,
        )


def listed(job: Job, destination: Repositories) -> Listed:
    """Raises ``NameUnknown`` for a repository that was asked for by its name."""
    try:
        there = frozenset(destination.list_tags(job.target))
    except NameUnknown:
        there = frozenset()
    try:
        wanted = job.choose(job.source.list_tags(job.name))
    except NameUnknown:
        if job.source.chosen:
            raise
        wanted = []  # stock registries list repositories whose last tag is gone
    return Listed(job, wanted, there)


def compared(found: Listed, target: str, destination: Repositories) -> Compared:
    """One request on each side at most. Raises ``ManifestUnknown`` where the source has no ``target``."""
    job = found.job
    digest = job.source.resolve(job.name, target)
    if digest is None:
        raise ManifestUnknown({"name": job.name, "reference": target})
    is_known = target in found.there or ":" in target
    return Compared(job, target, digest, is_known and destination.resolve(job.target, target) == digest)
