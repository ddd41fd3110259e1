"""What refers to an image, copied with it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from udist_plugin.content import FileContent
from udist_plugin.errors import DigestChanged, ImageError
from udist_plugin.images.copying import plan as plans
from udist_plugin.images.copying.walking import check_count, is_container_image, walk
from udist_plugin.images.policy.evaluating import check_images
from udist_plugin.images.signatures.joining import joined
from udist_plugin.oci.manifest import Manifest

if TYPE_CHECKING:
    from collections.abc import Callable

    from udist_plugin.images.copying.plan import Plan
    from udist_plugin.images.policy.policy import Policy
    from udist_plugin.images.policy.subject import PolicyImage
    from udist_plugin.images.transports.base import ImageDestination, ImageSource
    from udist_plugin.oci.digest import Digest


class Following:
    """What refers to the manifests of ``image``, to what refers to them, and so on; nothing of it is copied
    yet. ``warn`` is told what has no place at ``destination``. Raises ``ImageError`` if that keeps no
    referrers."""

    def __init__(
        self,
        source: ImageSource,
        destination: ImageDestination,
        image: Plan,
        warn: Callable[[str], None],
    ) -> None:
        if not destination.keeps_referrers:
            raise ImageError(
                "the destination keeps no referrers; copy to a registry, oci: or oci-archive:, or copy the "
                "image alone"
            )
        self._source = source
        self._image = image
        self._warn = warn
        self._known: dict[Digest, Manifest] = {}
        self._lookaside = {each.digest: source.get_lookaside(each.digest) for each in image.manifests}
        self._links = list(walk(source, image, self._read))

    @property
    def plans(self) -> list[Plan]:
        return [plan for link in self._links for plan in link.new]

    @property
    def manifests(self) -> tuple[Manifest, ...]:
        """All of them, each after those that it lists."""
        return tuple(manifest for plan in self.plans for manifest in plan.manifests)

    def check(self, copied: Plan, policy: Policy, image: PolicyImage) -> None:
        """Judges those that are container images, each by its digest in the repository of ``image``.

        Signatures and other artifacts are not signed themselves. Raises as ``check_images``, and
        ``DigestChanged`` where the image is ``copied`` with other digests than it is referred to by.
        """
        if {each.digest for each in copied.manifests} != {each.digest for each in self._image.manifests}:
            raise DigestChanged(
                "would have another digest than its referrers refer to; keep the format, or copy the image "
                "alone",
                self._image.root.digest,
            )
        for plan in filter(is_container_image, self.plans):
            check_images(policy, image.at(plan.root.digest), plan.manifests, self._source.get_signatures)

    def put(self, destination: ImageDestination) -> None:
        """Stores the manifests, whose blobs are there, what lists them, and signatures beside the source."""
        for manifest in self.manifests:
            destination.put_manifest(manifest)
        for link in self._links:
            if link.referrers:
                destination.put_referrers(
                    link.subject, [self._known[referrer.digest] for referrer in link.referrers]
                )
            for tag, digest in link.attached.items():
                _put_attached(destination, tag, self._known[digest])
        self._put_lookaside(destination)

    def _put_lookaside(self, destination: ImageDestination) -> None:
        found = {digest: files for digest, files in self._lookaside.items() if files}
        if found and not destination.keeps_lookaside:
            count = sum(map(len, found.values()))
            self._warn(f"the destination has no place for signatures of a lookaside; {count} left behind")
            return
        for digest, files in found.items():
            destination.put_lookaside(digest, files)

    def _read(self, digest: Digest) -> Plan | None:
        if digest in self._known:
            return None
        plan = plans.at(self._source, digest)
        self._known[digest] = plan.root
        check_count(self._known)
        return plan


def _put_attached(destination: ImageDestination, tag: str, ours: Manifest) -> None:
    """Stores what cosign attached. Signatures and attestations that are at the tag already stay."""
    found = destination.get_tagged(tag)
    if found and found.digest != ours.digest and not tag.endswith(".sbom"):
        ours, config = joined(Manifest.parse(found.content, found.media_type), ours)
        if config and ours.config:
            destination.put_blob(ours.config, FileContent(io.BytesIO(config), len(config)))
    destination.put_tagged(ours, tag)
