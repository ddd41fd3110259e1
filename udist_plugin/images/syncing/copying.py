"""A sync's copies: all is compared first, and then what differs is copied."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from udist_plugin.images.copying.copy import copy_image
from udist_plugin.images.parallel import Stop, in_parallel
from udist_plugin.images.syncing.comparing import Compared, Listed, compared, listed
from udist_plugin.images.syncing.referrers import Referrers
from udist_plugin.images.syncing.result import Synced

if TYPE_CHECKING:
    from collections.abc import Sequence

    from udist_plugin.images.policy.policy import Policy
    from udist_plugin.images.progress import Progress
    from udist_plugin.images.syncing.job import Job
    from udist_plugin.images.syncing.record import Record
    from udist_plugin.images.transports.base import Repositories


class Copies:
    """Copies repositories to ``destination``, up to ``concurrency`` images or else blobs at once.

    ``policy`` judges the images, also those among what refers to them.
    """

    def __init__(
        self,
        destination: Repositories,
        record: Record,
        *,
        policy: Policy,
        referrers: bool,
        dry_run: bool = False,
        progress: Progress,
        concurrency: int,
    ) -> None:
        self._destination = destination
        self._record = record
        self._policy = policy
        self._referrers = referrers
        self._dry_run = dry_run
        self._progress = progress
        self._concurrency = concurrency
        self._blobs_at_once = 1

    def run(self, jobs: Sequence[Job]) -> list[Listed]:
        """Copies what differs; gives what was found before."""
        stop = Stop(self._destination, *{id(job.source): job.source for job in jobs}.values())
        found = [each for each in in_parallel(self._list, jobs, self._concurrency, stop) if each]
        asked = [(each, target) for each in found for target in each.wanted]
        pairs = [each for each in in_parallel(self._compare, asked, self._concurrency, stop) if each]
        self._record.present += [each.synced(self._destination) for each in pairs if each.same]
        groups = _grouped([each for each in pairs if not each.same])
        self._blobs_at_once = max(1, self._concurrency // max(1, len(groups)))
        in_parallel(self._copy_group, groups, self._concurrency, stop)
        if self._referrers:
            self._follow(pairs, stop)
        return found

    def _follow(self, pairs: Sequence[Compared], stop: Stop) -> None:
        """Copies what refers to the images that are there now."""
        follow = Referrers(
            self._destination, self._record, self._copy, policy=self._policy, dry_run=self._dry_run
        )
        sound = [pair for pair in pairs if not self._record.is_broken(pair.job.target, pair.target)]
        in_parallel(
            lambda pair: self._record.attempt(
                *_names(pair.job, pair.target), lambda: follow.copy(pair.job, pair.digest)
            ),
            [group[0] for group in _grouped(sound)],
            self._concurrency,
            stop,
        )

    def _list(self, job: Job) -> Listed | None:
        return self._record.attempt(job.name, job.target, "", lambda: listed(job, self._destination))

    def _compare(self, asked: tuple[Listed, str]) -> Compared | None:
        found, target = asked
        return self._record.attempt(
            *_names(found.job, target), lambda: compared(found, target, self._destination)
        )

    def _copy_group(self, group: list[Compared]) -> None:
        """One image under all its tags, one after the other: the first moves its blobs."""
        for pair in group:
            self._copy(pair.job, pair.target, self._policy)

    def _copy(self, job: Job, target: str, policy: Policy) -> None:
        self._record.attempt(*_names(job, target), lambda: self._copy_one(job, target, policy))

    def _copy_one(self, job: Job, target: str, policy: Policy) -> None:
        source = job.source.reference(job.name, target)
        destination = self._destination.reference(job.target, target)
        copied = copy_image(
            source,
            destination,
            policy=policy,
            dry_run=self._dry_run,
            progress=self._progress,
            concurrency=self._blobs_at_once,
        )
        self._record.sizes.append(sum(blob.size for blob in copied.moved))
        self._record.copied.append(Synced(str(source), str(destination), copied.descriptor.digest))


def _names(job: Job, target: str) -> tuple[str, str, str]:
    """The reference at the source; repository and target at the destination."""
    return str(job.source.reference(job.name, target)), job.target, target


def _grouped(pairs: Sequence[Compared]) -> list[list[Compared]]:
    """Those of one image in one repository together."""

    def key(pair: Compared) -> tuple[str, str]:
        return pair.job.target, pair.digest

    return [list(group) for _, group in groupby(sorted(pairs, key=key), key)]
