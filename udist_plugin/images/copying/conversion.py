"""Docker schema 2 to OCI and back: other media types for the same blobs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from udist_plugin.errors import ImageError
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


def converted(plan: Plan, wanted: str) -> Plan:
    """``plan`` in the format ``oci`` or ``docker``; blobs stay as they are, digests of manifests change.

    Raises ``ImageError`` for what the format has no place for.
    """
    renamed: dict[Digest, Manifest] = {}
    for manifest in plan.manifests:
        renamed[manifest.digest] = _converted(manifest, wanted, renamed)
    return Plan(tuple(renamed.values()))


def _converted(manifest: Manifest, wanted: str, renamed: dict[Digest, Manifest]) -> Manifest:
    types = FORMATS[wanted]
    if manifest.media_type in types.values() and not any(
        part.digest in renamed for part in manifest.manifests
    ):
        return manifest
    document: dict[str, Any] = {"schemaVersion": 2, "mediaType": "", **load_document(manifest.content)}
    document["mediaType"] = types.get(manifest.media_type, manifest.media_type)
    if wanted == "docker":
        _check_dockers(manifest, document)
    for entry in document.get("manifests", ()):
        child = renamed.get(entry["digest"])
        if child is not None:
            entry |= {"mediaType": child.media_type, "digest": child.digest, "size": len(child.content)}
    for blob in [document.get("config"), *document.get("layers", ())]:
        if blob is not None:
            blob["mediaType"] = types.get(blob.get("mediaType"), blob.get("mediaType"))
    content = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    return Manifest.parse(content)


def _check_dockers(manifest: Manifest, document: dict[str, Any]) -> None:
    types = FORMATS["docker"]
    lost = [name for name in _OCI_ONLY if document.get(name)]
    odd = [blob.media_type for blob in manifest.blobs if blob.media_type not in {*types, *types.values()}]
    if lost or odd:
        what = ", ".join([*lost, *odd])
        raise ImageError(f"Docker's format has no place for {what}; copy it as it is", manifest.digest)
