"""Manifests that refer to an image, copied after it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from udist_plugin.errors import ManifestInvalid
from udist_plugin.images.copying import plan

if TYPE_CHECKING:
    from collections.abc import Callable

    from udist_plugin.images.syncing.job import Job
    from udist_plugin.images.transports.base import Repositories
    from udist_plugin.oci.digest import Digest

REFERRERS_MAX: Final = 100_000
"""How many referrers one repository may have."""


class Referrers:
    """Copies referrers with ``copy``, unless ``destination`` has them, each once."""

    def __init__(self, destination: Repositories, copy: Callable[[Job, str], None], *, dry_run: bool) -> None:
        self._destination = destination
        self._dry_run = dry_run
        self._copy = copy
        self._lock = threading.Lock()
        self._known: set[tuple[str, Digest]] = set()

    def copy(self, job: Job, digest: Digest) -> None:
        """Those of the image ``digest``, of every manifest below it, and of what they bring along."""
        waiting = [digest]
        for each in waiting:  # which grows
            for subject in _digests(job, each):
                referrers = job.source.list_referrers(job.name, subject)
                new = [each.digest for each in referrers if self._is_new(job, each.digest)]
                for referrer in new:
                    if self._destination.resolve(job.target, referrer) != referrer:
                        self._copy(job, referrer)
                if not self._dry_run:
                    self._destination.tag_referrers(job.target, subject, referrers)
                waiting += new

    def _is_new(self, job: Job, digest: Digest) -> bool:
        with self._lock:
            if (job.target, digest) in self._known:
                return False
            if len(self._known) >= REFERRERS_MAX:
                raise ManifestInvalid(f"there are more than {REFERRERS_MAX} referrers")
            self._known.add((job.target, digest))
            return True


def _digests(job: Job, digest: Digest) -> list[Digest]:
    """Those of an image and of all manifests below it."""
    with job.source.reference(job.name, digest).new_image_source() as source:
        return [manifest.digest for manifest in plan.of_root(source, plan.root_of(source)).manifests]
