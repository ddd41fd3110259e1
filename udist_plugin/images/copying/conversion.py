"""Docker schema 2 to OCI and back, and other layers in the places of those that there are."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from udist_plugin.errors import ImageError
from udist_plugin.images.configuration import is_image
from udist_plugin.images.copying.plan import Plan
from udist_plugin.oci.manifest import Manifest, load_document
from udist_plugin.oci.media_types import (
    DOCKER_CONFIG,
    DOCKER_FOREIGN_LAYER,
    DOCKER_LAYER,
    DOCKER_LAYER_TAR,
    DOCKER_LAYER_ZSTD,
    DOCKER_MANIFEST,
    DOCKER_MANIFEST_LIST,
    OCI_CONFIG,
    OCI_FOREIGN_LAYER,
    OCI_INDEX,
    OCI_LAYER_TAR,
    OCI_LAYER_TAR_GZIP,
    OCI_LAYER_TAR_ZSTD,
    OCI_MANIFEST,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from udist_plugin.oci.descriptor import Descriptor
    from udist_plugin.oci.digest import Digest

_TO_OCI: Final = {
    DOCKER_MANIFEST: OCI_MANIFEST,
    DOCKER_MANIFEST_LIST: OCI_INDEX,
    DOCKER_CONFIG: OCI_CONFIG,
    DOCKER_LAYER: OCI_LAYER_TAR_GZIP,
    DOCKER_LAYER_TAR: OCI_LAYER_TAR,
    DOCKER_LAYER_ZSTD: OCI_LAYER_TAR_ZSTD,
    DOCKER_FOREIGN_LAYER: OCI_FOREIGN_LAYER,
}
FORMATS: Final = {"oci": _TO_OCI, "docker": {oci: docker for docker, oci in _TO_OCI.items()}}
"""By format, the media types that it has in the place of the other's."""

_OCI_ONLY: Final = ("annotations", "subject", "artifactType")
"""Members that Docker's manifests have no place for."""


def converted(
    plan: Plan, wanted: str | None, layer: Callable[[Descriptor], Descriptor] = lambda same: same
) -> Plan:
    """``plan`` in the format ``oci`` or ``docker``, if that is ``wanted``, with what ``layer`` makes of each
    layer of an image. Digests of manifests change with what they say.

    Both at once, because one format has what the other has no place for: only the result must be right.
    Raises ``ImageError`` where it is not.
    """
    renamed: dict[Digest, Manifest] = {}
    for manifest in plan.manifests:
        layers = [layer(each) if is_image(manifest) else each for each in manifest.layers]
        renamed[manifest.digest] = _converted(manifest, wanted, layers, renamed)
    return Plan(tuple(renamed.values()))


def _converted(
    manifest: Manifest, wanted: str | None, layers: list[Descriptor], renamed: dict[Digest, Manifest]
) -> Manifest:
    types = FORMATS[wanted] if wanted else {}
    changed = any(renamed.get(part.digest, part).digest != part.digest for part in manifest.manifests)
    if manifest.media_type not in types and not changed and tuple(layers) == manifest.layers:
        return manifest
    document: dict[str, Any] = {"schemaVersion": 2, "mediaType": "", **load_document(manifest.content)}
    document["mediaType"] = types.get(manifest.media_type, manifest.media_type)
    for entry in document.get("manifests", ()):
        child = renamed.get(entry["digest"])
        if child is not None:
            entry |= {"mediaType": child.media_type, "digest": child.digest, "size": len(child.content)}
    if tuple(layers) != manifest.layers:
        document["layers"] = [layer.to_json() for layer in layers]
    for blob in [document.get("config"), *document.get("layers", ())]:
        if blob is not None:
            blob["mediaType"] = types.get(blob.get("mediaType"), blob.get("mediaType"))
    content = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    made = Manifest.parse(content)
    if made.media_type in FORMATS["oci"]:
        _check_dockers(manifest, made, document)
    return made


def _check_dockers(manifest: Manifest, made: Manifest, document: dict[str, Any]) -> None:
    """Raises ``ImageError`` for what schema 2 has no place for, such as zstd, which it has no media type for:
    the one that some programs write is not understood by others."""
    types = FORMATS["oci"].keys() - {DOCKER_LAYER_ZSTD}
    lost = [name for name in _OCI_ONLY if document.get(name)]
    given = zip(manifest.blobs, made.blobs, strict=True)
    odd = [old.media_type for old, new in given if new.media_type not in types]
    if DOCKER_LAYER_ZSTD in [blob.media_type for blob in made.blobs]:
        raise ImageError(
            "Docker's format has no place for zstd; choose --format oci, or --compression gzip",
            manifest.digest,
        )
    if lost or odd:
        what = ", ".join([*lost, *odd])
        raise ImageError(f"Docker's format has no place for {what}; copy it as it is", manifest.digest)
