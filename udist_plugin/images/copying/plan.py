"""What there is to copy: an image's manifests, looked at before a byte is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from udist_plugin.errors import ManifestInvalid, ManifestUnknown, RegistryError
from udist_plugin.images.writing import check_size
from udist_plugin.oci.manifest import Manifest, load_document
from udist_plugin.oci.media_types import DOCKER_FOREIGN_LAYER

if TYPE_CHECKING:
    from udist_plugin.images.transports.base import ImageSource
    from udist_plugin.oci.descriptor import Descriptor
    from udist_plugin.oci.digest import Digest
    from udist_plugin.registry import ManifestContent

DEPTH_MAX: Final = 8
"""How deep indexes may lie in one another."""

MANIFESTS_MAX: Final = 10_000
"""How many manifests one image may have."""

_ELSEWHERE: Final = (DOCKER_FOREIGN_LAYER, "application/vnd.oci.image.layer.nondistributable.")
"""Layers that stay where their URLs lead (image-spec, layer.md, "Non-Distributable Layers")."""


class Plan(NamedTuple):
    """The manifests of an image, each after those that it lists: the last is the image's own."""

    manifests: tuple[Manifest, ...]

    @property
    def root(self) -> Manifest:
        return self.manifests[-1]

    def blobs(self) -> list[Descriptor]:
        """Every blob once. Raises ``ManifestInvalid`` where two manifests state different sizes."""
        found: dict[Digest, Descriptor] = {}
        for manifest in self.manifests:
            for blob in manifest.blobs:
                if blob.media_type.startswith(_ELSEWHERE):
                    continue
                first = found.setdefault(blob.digest, blob)
                if first.size != blob.size:
                    raise ManifestInvalid(
                        f"two sizes are stated for {blob.digest}: {first.size} and {blob.size}"
                    )
        return list(found.values())


def root_of(source: ImageSource) -> Manifest:
    """The image's own manifest or index. Raises ``ManifestInvalid`` for anything else."""
    return _parsed(source.get_manifest())


def at(source: ImageSource, digest: Digest) -> Plan:
    """The manifest with ``digest``, and all below it."""
    return of_root(source, _parsed(source.get_manifest(digest)))


def of_root(source: ImageSource, root: Manifest) -> Plan:
    """``root`` and all below it."""
    found: dict[Digest, Manifest] = {}
    _collect(source, root, 0, found)
    return Plan(tuple(found.values()))


def manifest_at(source: ImageSource, descriptor: Descriptor) -> Manifest:
    """A manifest that an index lists."""
    try:
        content = source.get_manifest(descriptor.digest)
    except ManifestUnknown as error:
        error.add_note(f"{descriptor.digest}, which the index lists; to copy what is there, choose platforms")
        raise
    check_size(len(content.content), descriptor)
    return _parsed(content)


def _collect(source: ImageSource, manifest: Manifest, depth: int, found: dict[Digest, Manifest]) -> None:
    """Adds what ``manifest`` lists to ``found``, each once, and then itself."""
    check_depth(depth)
    for descriptor in manifest.manifests:
        if descriptor.digest not in found:
            _collect(source, manifest_at(source, descriptor), depth + 1, found)
    found[manifest.digest] = manifest
    if len(found) > MANIFESTS_MAX:
        raise ManifestInvalid(f"the image has more than {MANIFESTS_MAX} manifests")


def check_depth(depth: int) -> None:
    """Raises ``ManifestInvalid`` for an index too deep in others."""
    if depth > DEPTH_MAX:
        raise ManifestInvalid(f"indexes lie more than {DEPTH_MAX} deep in one another")


def _parsed(found: ManifestContent) -> Manifest:
    """What the document says of itself counts; a registry may say something else."""
    try:
        own = load_document(found.content).get("mediaType")
        return Manifest.parse(found.content, own or found.media_type, found.digest, hashed=True)
    except RegistryError as error:
        error.add_note(str(found.digest))
        raise
