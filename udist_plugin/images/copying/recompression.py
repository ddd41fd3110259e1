"""Layers with another compression."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from udist_plugin.content import CHUNK_SIZE
from udist_plugin.errors import DigestInvalid, ManifestInvalid
from udist_plugin.images.configuration import diff_ids, image_config, is_image
from udist_plugin.images.files import from_start
from udist_plugin.images.packing import Hashing
from udist_plugin.images.placing import named
from udist_plugin.images.rootfs.content import unpacked
from udist_plugin.oci.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from udist_plugin.content import Content
    from udist_plugin.images.compression import Compression
    from udist_plugin.images.copying.plan import Plan
    from udist_plugin.images.parallel import Stop
    from udist_plugin.images.progress import Progress
    from udist_plugin.images.transports.base import ImageSource
    from udist_plugin.oci.descriptor import Descriptor
    from udist_plugin.oci.manifest import Manifest

_OF_THE_BYTES: Final = ("containerd.io/snapshot/stargz/", "io.github.containers.zstd-chunked.")
"""Annotations that say where in a compressed layer the files are."""


class Recompression:
    """What ``compression``, if any, changes in ``plan``: ``layers`` are those of its images that are not so
    compressed, and ``kept`` the blobs that stay as they are, also those of what is no container image.

    Raises ``ImageError`` for a wrong compression, and ``ManifestInvalid`` for a configuration that does not
    say what its layers hold.
    """

    def __init__(self, source: ImageSource, plan: Plan, compression: Compression | None) -> None:
        if compression:
            compression.require()
        self._source = source
        self._compression = compression
        self._diffs: dict[Digest, set[Digest]] = {}
        self._made: dict[Digest, Descriptor] = {}
        found: dict[Digest, Descriptor] = {}
        kept: set[Digest] = set()
        for manifest in plan.manifests:
            for blob in manifest.blobs:
                if is_image(manifest) and self.changed(blob) != blob:
                    found[blob.digest] = blob
                else:
                    kept.add(blob.digest)
        for manifest in plan.manifests:
            if is_image(manifest) and any(layer.digest in found for layer in manifest.layers):
                self._add_diffs(manifest)
        self.layers = list(found.values())
        self.kept = [blob for blob in plan.blobs() if blob.digest in kept]

    def _add_diffs(self, image: Manifest) -> None:
        diffs = diff_ids(image_config(self._source, image) or {})
        if len(diffs) != len(image.layers):
            raise ManifestInvalid(
                f"{image.digest} has {len(image.layers)} layers, its configuration {len(diffs)}"
            )
        for layer, diff in zip(image.layers, diffs, strict=True):
            self._diffs.setdefault(layer.digest, set()).add(diff)

    def changed(self, layer: Descriptor) -> Descriptor:
        """What becomes of a layer: what was made of it; before, it only has its media type."""
        media_type = self._compression.media_type(layer.media_type) if self._compression else None
        made = self._made.get(layer.digest)
        if media_type is None or (media_type == layer.media_type and made is None):
            return layer
        notes = {key: text for key, text in layer.annotations.items() if not key.startswith(_OF_THE_BYTES)}
        layer = layer._replace(media_type=media_type, annotations=notes)
        return layer._replace(digest=made.digest, size=made.size) if made else layer

    @contextmanager
    def made(
        self, layer: Descriptor, progress: Progress, stop: Stop
    ) -> Iterator[tuple[Descriptor, Callable[[], Content]]]:
        """What becomes of one of ``layers``, and what opens it: a temporary file, until the block ends.

        Raises ``DigestInvalid`` where the layer is not what the configuration says at ``rootfs.diff_ids``,
        and what ``unpacked`` raises.
        """
        with tempfile.TemporaryFile() as file:
            with named(tempfile.gettempdir()):
                out = Hashing(file)
                self._compress(layer, out, progress, stop)
                file.flush()
            self._made[layer.digest] = layer._replace(digest=out.digest(), size=out.size)
            yield self.changed(layer), lambda: from_start(file, out.size)

    def _compress(self, layer: Descriptor, out: Hashing, progress: Progress, stop: Stop) -> None:
        hashers = {diff: diff.hasher() for diff in self._diffs[layer.digest]}
        assert self._compression is not None
        with (
            unpacked(self._source, layer, progress, "recompressing") as plain,
            self._compression.writing(out) as compressed,
        ):
            while data := plain.read(CHUNK_SIZE):
                stop.check()
                compressed.write(data)
                for hasher in hashers.values():
                    hasher.update(data)
        for diff, hasher in hashers.items():
            if (actual := Digest.from_hash(hasher)) != diff:
                raise DigestInvalid(
                    {"layer": layer.digest, "expected": diff, "actual": actual},
                    "the layer's content does not match its digest in the configuration",
                )
