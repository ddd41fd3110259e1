"""What refers to images, copied after them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from udist_plugin.images.copying import plan
from udist_plugin.images.copying.walking import check_count, is_container_image, walk
from udist_plugin.images.policy.policy import Policy

if TYPE_CHECKING:
    from collections.abc import Callable

    from udist_plugin.images.copying.plan import Plan
    from udist_plugin.images.copying.walking import Link
    from udist_plugin.images.syncing.job import Job
    from udist_plugin.images.syncing.record import Record
    from udist_plugin.images.transports.base import ImageSource, Repositories
    from udist_plugin.oci.digest import Digest


class Referrers:
    """Copies what refers to images with ``copy``, unless ``destination`` has it, each once.

    ``policy`` judges those that are container images. Signatures and other artifacts are not signed
    themselves.
    """

    def __init__(
        self,
        destination: Repositories,
        record: Record,
        copy: Callable[[Job, str, Policy], None],
        *,
        policy: Policy,
        dry_run: bool,
    ) -> None:
        self._destination = destination
        self._record = record
        self._copy = copy
        self._policy = policy
        self._dry_run = dry_run
        self._lock = threading.Lock()
        self._known: set[tuple[str, Digest]] = set()

    def copy(self, job: Job, digest: Digest) -> None:
        """What refers to the image ``digest``, to the manifests below it, to that, and so on."""
        with job.source.reference(job.name, digest).new_image_source() as source:
            for link in walk(source, plan.at(source, digest), lambda each: self._read(job, source, each)):
                self._follow(job, link)

    def _follow(self, job: Job, link: Link) -> None:
        tags = {digest: tag for tag, digest in link.attached.items()}
        for each in link.new:
            target = tags.get(each.root.digest, str(each.root.digest))
            if self._destination.resolve(job.target, target) != each.root.digest:
                judge = self._policy if is_container_image(each) else Policy.accepting_anything()
                self._copy(job, target, judge)
        if not self._dry_run:
            self._destination.tag_referrers(job.target, link.subject, link.referrers)

    def _read(self, job: Job, source: ImageSource, digest: Digest) -> Plan | None:
        """What is new, and can be read."""
        with self._lock:
            if (job.target, digest) in self._known:
                return None
            self._known.add((job.target, digest))
            check_count(self._known)
        reference = str(job.source.reference(job.name, digest))
        return self._record.attempt(reference, job.target, digest, lambda: plan.at(source, digest))
