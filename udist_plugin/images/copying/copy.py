"""``copy_image``: an image from any place to any other."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from udist_plugin.errors import DigestChanged, SignatureError
from udist_plugin.images.copying.blobs import Blobs
from udist_plugin.images.copying.choice import Choice
from udist_plugin.images.copying.conversion import converted
from udist_plugin.images.copying.following import Following
from udist_plugin.images.copying.plan import Plan
from udist_plugin.images.copying.recompression import Recompression
from udist_plugin.images.parallel import CONCURRENCY, Stop, in_parallel
from udist_plugin.images.policy.evaluating import check_images
from udist_plugin.images.policy.names import called, image_at
from udist_plugin.images.progress import SILENT
from udist_plugin.images.referrers import described
from udist_plugin.images.system import THIS_SYSTEM, SystemContext
from udist_plugin.images.transports import parse_image_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Literal

    from udist_plugin.images.compression import Compression
    from udist_plugin.images.platforms import Platform
    from udist_plugin.images.policy.policy import Policy
    from udist_plugin.images.policy.subject import PolicyImage
    from udist_plugin.images.progress import Progress
    from udist_plugin.images.signatures.keys import PrivateKey
    from udist_plugin.images.transports.base import ImageDestination, ImageReference, ImageSource
    from udist_plugin.oci.descriptor import Descriptor
    from udist_plugin.oci.digest import Digest
    from udist_plugin.oci.manifest import Manifest


class CopyResult(NamedTuple):
    """What a copy made, or would make.

    ``descriptor`` is of the manifest or index under the destination's name, ``source`` the digest of the
    source's: they differ where platforms were chosen, or a format or compression was changed. ``manifests``
    is how many there are, ``moved`` and ``present`` are the blobs that were moved and those that were there.
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
    compression: Compression | None = None,
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
    schema 2 and OCI. ``compression`` recompresses the layers of images that have another one, each into a
    temporary file; a dry run does so, too, to tell the digest. With ``preserve_digests``, a copy that would
    have another digest raises ``DigestChanged`` instead. ``sign_by`` signs what was copied: that it is called
    ``sign_identity``, or as the destination is.

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
        following = Following(opened, target, plan, system.warn) if referrers else None
        recompression = Recompression(opened, plan, compression)
        job = CopyJob(opened, target, plan, image_format, recompression, following)
        before = choice.root.digest
        if following:
            following.check(job.plan(), policy, _judged(read))
        if job.plan().root.digest != before and preserve_digests:
            raise DigestChanged(job.outlook(), before)
        moved = job.run(concurrency, progress, dry=dry_run)
        plan = job.plan()
        if signer and not dry_run:
            signer.sign(plan)
    root, blobs = plan.root, job.all().blobs()
    return CopyResult(
        root.descriptor,
        before,
        len(plan.manifests),
        [blob for blob in blobs if blob.digest in moved],
        [blob for blob in blobs if blob.digest not in moved],
        [described(each.root) for each in following.plans] if following else [],
    )


class CopyJob:
    """``plan`` on its way, in another format or compression where that is wanted, with what is ``following``
    it."""

    def __init__(
        self,
        source: ImageSource,
        destination: ImageDestination,
        plan: Plan,
        image_format: str | None,
        recompression: Recompression,
        following: Following | None = None,
    ) -> None:
        self._source = source
        self._destination = destination
        self._plan = plan
        self._format = image_format
        self._recompression = recompression
        self._following = following

    def plan(self) -> Plan:
        """What the destination gets. Before a run, digests of layers that will be compressed are missing.

        Raises ``ImageError`` for what the destination's format has no place for.
        """
        return converted(self._plan, self._format, self._recompression.changed)

    def all(self) -> Plan:
        """The same after all that follows it."""
        return self._after_others(self.plan().manifests)

    def outlook(self) -> str:
        """What becomes of the digest."""
        if layers := self._recompression.layers:
            return f"would change, because {len(layers)} layers would be recompressed"
        return f"would become {self.plan().root.digest}"

    def run(self, concurrency: int, progress: Progress, *, dry: bool = False) -> set[Digest]:
        """The blobs that were moved, or if ``dry``, that would be, as far as one can tell. All are there when
        the first manifest is written."""
        kept, layers = self._kept(), self._recompression.layers
        stop = Stop(self._source, self._destination)
        blobs = Blobs(self._source, self._destination, progress, stop, dry=dry)
        progress.expect(len(kept) + len(layers), sum(blob.size for blob in kept))
        acts = [
            *(partial(blobs.recompress, layer, self._recompression) for layer in layers),
            *(partial(blobs.copy, blob) for blob in kept),
        ]
        moved = in_parallel(lambda act: act(), acts, concurrency, stop)
        if not dry:
            self._put_manifests()
        return {digest for digest in moved if digest}

    def _kept(self) -> list[Descriptor]:
        """The blobs that stay as they are."""
        if self._following is None:
            return self._recompression.kept
        return self._after_others(self._plan.manifests).blobs()  # so nothing is recompressed

    def _after_others(self, manifests: tuple[Manifest, ...]) -> Plan:
        return Plan((*(self._following.manifests if self._following else ()), *manifests))

    def _put_manifests(self) -> None:
        *children, root = self.plan().manifests
        for manifest in children:
            self._destination.put_manifest(manifest)
        if self._following:  # so that an image is never found by its name without its signatures
            self._destination.put_manifest(root)
            self._following.put(self._destination)
        self._destination.commit(root)


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
