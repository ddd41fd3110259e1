"""``copy_image``: an image from any place to any other."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from udist_plugin.errors import DigestChanged, SignatureError
from udist_plugin.images.copying.blobs import Blobs
from udist_plugin.images.copying.choice import Choice
from udist_plugin.images.copying.conversion import converted
from udist_plugin.images.copying.following import Following
from udist_plugin.images.copying.plan import Plan
from udist_plugin.images.parallel import CONCURRENCY, Stop, in_parallel
from udist_plugin.images.policy.evaluating import check_images
from udist_plugin.images.policy.names import called, image_at
from udist_plugin.images.progress import SILENT
from udist_plugin.images.referrers import described
from udist_plugin.images.system import THIS_SYSTEM, SystemContext
from udist_plugin.images.transports import parse_image_name
from udist_plugin.oci.descriptor import Descriptor

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Literal

    from udist_plugin.images.platforms import Platform
    from udist_plugin.images.policy.policy import Policy
    from udist_plugin.images.policy.subject import PolicyImage
    from udist_plugin.images.progress import Progress
    from udist_plugin.images.signatures.keys import PrivateKey
    from udist_plugin.images.transports.base import ImageDestination, ImageReference, ImageSource
    from udist_plugin.oci.digest import Digest


class CopyResult(NamedTuple):
    """What a copy made, or would make.

    ``descriptor`` is of the manifest or index under the destination's name, ``source`` the digest of the
    source's: they differ where platforms were chosen or the format was changed. ``manifests`` is how many
    there are, ``moved`` and ``present`` are the blobs that were moved and those that were there.
    ``referrers`` are the manifests that refer to the image, and were copied with it.
    """

    descriptor: Descriptor
    source: Digest
    manifests: int
    moved: list[Descriptor]
    present: list[Descriptor]
    referrers: list[Descriptor]


def copy_image(
    source: ImageReference | str,
    destination: ImageReference | str,
    *,
    policy: Policy,
    platforms: Sequence[Platform] = (),
    sparse: bool = False,
    image_format: Literal["oci", "docker"] | None = None,
    preserve_digests: bool = False,
    referrers: bool = False,
    sign_by: PrivateKey | None = None,
    sign_identity: str | None = None,
    dry_run: bool = False,
    progress: Progress = SILENT,
    concurrency: int = CONCURRENCY,
    system: SystemContext = THIS_SYSTEM,
) -> CopyResult:
    """Copies an image, by its references or their text, such as ``oci:folder:v1``.

    ``policy`` says which images may be copied: ``load_policy`` gives the user's, and
    ``Policy.accepting_anything()`` accepts all. All images that are to be copied are judged before a byte is
    written; one that is rejected raises ``PolicyRejected``.

    Of an index, everything is copied; with ``platforms``, what is there for each: for one, that image; for
    several, a new index of them, or if ``sparse`` the old one. ``image_format`` converts between Docker
    schema 2 and OCI. With ``preserve_digests``, a copy that would have another digest raises
    ``DigestChanged`` instead. ``sign_by`` signs what was copied: that it is called ``sign_identity``, or as
    the destination is.

    With ``referrers``, what refers to a manifest that is copied is copied before it, and what refers to that:
    signatures, attestations and other artifacts, also those that cosign keeps at tags. ``policy`` judges
    those that are container images, by their digests; the others are not signed themselves.

    Up to ``concurrency`` blobs are moved at once; those that the destination has are not. Every digest and
    size is verified, and the destination's name is written last: until then, what was there is still there.
    The first failure stops the rest. Raises ``ImageError``, ``SignatureError``, ``RegistryError``,
    ``TransportError`` and ``OSError``.
    """
    read, written = _reference(source), _reference(destination)
    with read.new_image_source(system) as opened, written.new_image_destination(system) as target:
        signer = _Signer(target, sign_by, sign_identity or called(written)) if sign_by else None
        choice = Choice(opened, system.warn)
        plan = choice.only(platforms) if target.single else choice.planned(platforms, sparse=sparse)
        check_images(policy, _judged(read), plan.manifests, opened.get_signatures)
        following = Following(opened, target, plan) if referrers else None
        before = choice.root.digest
        if image_format:
            plan = converted(plan, image_format)
        if following:
            following.check(plan, policy, _judged(read))
        if preserve_digests and plan.root.digest != before:
            raise DigestChanged(f"would become {plan.root.digest}", before)
        job = _Job(opened, target, plan, following, progress, system.warn)
        moved = job.missing() if dry_run else job.run(concurrency)
        if signer and not dry_run:
            signer.sign(plan)
    present = [blob for blob in job.blobs if blob not in moved]
    root = plan.root
    descriptor = Descriptor(root.media_type, root.digest, len(root.content))
    followed = [described(each.root) for each in following.plans] if following else []
    return CopyResult(descriptor, before, len(plan.manifests), moved, present, followed)


class _Job:
    """``plan`` on its way, with what is ``following`` it."""

    def __init__(
        self,
        source: ImageSource,
        destination: ImageDestination,
        plan: Plan,
        following: Following | None,
        progress: Progress,
        warn: Callable[[str], None],
    ) -> None:
        self._warn = warn
        self._destination = destination
        self._plan = plan
        self._following = following
        self.blobs = Plan((*(following.manifests if following else ()), *plan.manifests)).blobs()
        self._progress = progress
        self._stop = Stop(source, destination)
        self._copy = Blobs(source, destination, progress, self._stop).copy

    def missing(self) -> list[Descriptor]:
        """The blobs that a run would move, as far as one can tell."""
        return [blob for blob in self.blobs if not self._destination.has_blob(blob)]

    def run(self, concurrency: int) -> list[Descriptor]:
        """The blobs that were moved. All are there when the first manifest is written."""
        self._progress.expect(len(self.blobs), sum(blob.size for blob in self.blobs))
        moved = in_parallel(self._copy, self.blobs, concurrency, self._stop)
        for manifest in self._plan.manifests[:-1]:
            self._destination.put_manifest(manifest)
        if self._following:  # so that an image is never found by its name without its signatures
            self._destination.put_manifest(self._plan.root)
            self._following.put(self._destination, self._warn)
        self._destination.commit(self._plan.root)
        return [blob for blob, was_moved in zip(self.blobs, moved, strict=True) if was_moved]


class _Signer:
    """Signs at ``destination`` that an image is called ``identity``. Raises ``SignatureError`` where that
    cannot be."""

    def __init__(self, destination: ImageDestination, key: PrivateKey, identity: str) -> None:
        if not destination.keeps_signatures:
            raise SignatureError("signatures are kept in registries; copy to udist: or docker://", identity)
        self._destination = destination
        self._key = key
        self._identity = identity

    def sign(self, plan: Plan) -> None:
        """Each image of an index, and the index."""
        for manifest in plan.manifests:
            self._destination.sign(manifest, self._key, self._identity)


def _judged(reference: ImageReference) -> PolicyImage:
    return image_at(reference.transport.name, reference.string_within_transport)


def _reference(given: ImageReference | str) -> ImageReference:
    return parse_image_name(given) if isinstance(given, str) else given
