"""``copy_image``: an image from any place to any other."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from udist_plugin.errors import DigestChanged
from udist_plugin.images.copying.blobs import Blobs
from udist_plugin.images.copying.choice import Choice
from udist_plugin.images.copying.conversion import converted
from udist_plugin.images.parallel import CONCURRENCY, Stop, in_parallel
from udist_plugin.images.progress import SILENT
from udist_plugin.images.system import THIS_SYSTEM, SystemContext
from udist_plugin.images.transports import parse_image_name
from udist_plugin.oci.descriptor import Descriptor

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Literal

    from udist_plugin.images.copying.plan import Plan
    from udist_plugin.images.platforms import Platform
    from udist_plugin.images.progress import Progress
    from udist_plugin.images.transports.base import ImageDestination, ImageReference, ImageSource
    from udist_plugin.oci.digest import Digest


class CopyResult(NamedTuple):
    """What a copy made, or would make.

    ``descriptor`` is of the manifest or index under the destination's name, ``source`` the digest of the
    source's: they differ where platforms were chosen or the format was changed. ``manifests`` is how many
    there are, ``moved`` and ``present`` are the blobs that were moved and those that were there.
    """

    descriptor: Descriptor
    source: Digest
    manifests: int
    moved: list[Descriptor]
    present: list[Descriptor]


def copy_image(
    source: ImageReference | str,
    destination: ImageReference | str,
    *,
    platforms: Sequence[Platform] = (),
    sparse: bool = False,
    image_format: Literal["oci", "docker"] | None = None,
    preserve_digests: bool = False,
    dry_run: bool = False,
    progress: Progress = SILENT,
    concurrency: int = CONCURRENCY,
    system: SystemContext = THIS_SYSTEM,
) -> CopyResult:
    """Copies an image, by its references or their text, such as ``oci:folder:v1``.

    Of an index, everything is copied; with ``platforms``, what is there for each: for one, that image; for
    several, a new index of them, or if ``sparse`` the old one. ``image_format`` converts between Docker
    schema 2 and OCI. With ``preserve_digests``, a copy that would have another digest raises
    ``DigestChanged`` instead.

    Up to ``concurrency`` blobs are moved at once; those that the destination has are not. Every digest and
    size is verified, and the destination's name is written last: until then, what was there is still there.
    The first failure stops the rest. Raises ``ImageError``, ``RegistryError``, ``TransportError`` and
    ``OSError``.
    """
    read, written = _reference(source), _reference(destination)
    with read.new_image_source(system) as opened, written.new_image_destination(system) as target:
        choice = Choice(opened, system.warn)
        plan = choice.only(platforms) if target.single else choice.planned(platforms, sparse=sparse)
        before = choice.root.digest
        if image_format:
            plan = converted(plan, image_format)
        if preserve_digests and plan.root.digest != before:
            raise DigestChanged(f"would become {plan.root.digest}", before)
        job = _Job(opened, target, plan, progress)
        moved = job.missing() if dry_run else job.run(concurrency)
    present = [blob for blob in plan.blobs() if blob not in moved]
    root = plan.root
    descriptor = Descriptor(root.media_type, root.digest, len(root.content))
    return CopyResult(descriptor, before, len(plan.manifests), moved, present)


class _Job:
    """``plan`` on its way."""

    def __init__(
        self, source: ImageSource, destination: ImageDestination, plan: Plan, progress: Progress
    ) -> None:
        self._destination = destination
        self._plan = plan
        self._blobs = plan.blobs()
        self._progress = progress
        self._stop = Stop(source, destination)
        self._copy = Blobs(source, destination, progress, self._stop).copy

    def missing(self) -> list[Descriptor]:
        """The blobs that a run would move, as far as one can tell."""
        return [blob for blob in self._blobs if not self._destination.has_blob(blob)]

    def run(self, concurrency: int) -> list[Descriptor]:
        """The blobs that were moved. All are there when the first manifest is written."""
        self._progress.expect(len(self._blobs), sum(blob.size for blob in self._blobs))
        moved = in_parallel(self._copy, self._blobs, concurrency, self._stop)
        for manifest in self._plan.manifests[:-1]:
            self._destination.put_manifest(manifest)
        self._destination.commit(self._plan.root)
        return [blob for blob, was_moved in zip(self._blobs, moved, strict=True) if was_moved]


def _reference(given: ImageReference | str) -> ImageReference:
    return parse_image_name(given) if isinstance(given, str) else given
