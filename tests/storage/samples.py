"""Content to push."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, NamedTuple

from udist_plugin.oci.digest import Digest
from udist_plugin.oci.manifest import Manifest
from udist_plugin.oci.media_types import OCI_EMPTY, OCI_INDEX, OCI_LAYER_TAR, OCI_MANIFEST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from udist_plugin.registry import Registry


class Document(NamedTuple):
    """A manifest or index, ready to push."""

    content: bytes
    media_type: str
    digest: Digest

    @property
    def descriptor(self) -> dict[str, object]:
        return {"mediaType": self.media_type, "digest": self.digest, "size": len(self.content)}


def image(
    *layers: bytes,
    subject: Document | None = None,
    artifact_type: str | None = None,
    config: bytes = b"{}",
    annotations: dict[str, str] | None = None,
    algorithm: str = "sha256",
) -> Document:
    """An image manifest of these layers."""
    document: dict[str, object] = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": {"mediaType": OCI_EMPTY, "digest": Digest.of(config), "size": len(config)},
        "layers": [
            {"mediaType": OCI_LAYER_TAR, "digest": Digest.of(layer), "size": len(layer)} for layer in layers
        ],
    }
    return _document(document, subject, artifact_type, annotations, algorithm)


def index(
    *manifests: Document, subject: Document | None = None, artifact_type: str | None = None
) -> Document:
    """An index of these manifests."""
    document: dict[str, object] = {
        "schemaVersion": 2,
        "mediaType": OCI_INDEX,
        "manifests": [manifest.descriptor for manifest in manifests],
    }
    return _document(document, subject, artifact_type, None, "sha256")


def push_image(registry: Registry, name: str, *layers: bytes, tags: Sequence[str] = ()) -> Document:
    """Pushes the blobs of an image and then the image."""
    for blob in (b"{}", *layers):
        registry.push_blob(name, Digest.of(blob), io.BytesIO(blob))
    document = image(*layers)
    push(registry, name, document, *tags)
    return document


def push(registry: Registry, name: str, document: Document, *tags: str) -> None:
    manifest = Manifest.parse(document.content, document.media_type, document.digest)
    registry.push_manifest(name, manifest, tags)


def read_blob(registry: Registry, name: str, digest: Digest) -> bytes:
    with registry.open_blob(name, digest) as content:
        return content.read()


def _document(
    document: dict[str, object],
    subject: Document | None,
    artifact_type: str | None,
    annotations: dict[str, str] | None,
    algorithm: str,
) -> Document:
    if subject:
        document["subject"] = subject.descriptor
    if artifact_type:
        document["artifactType"] = artifact_type
    if annotations:
        document["annotations"] = annotations
    content = json.dumps(document).encode()
    return Document(content, str(document["mediaType"]), Digest.of(content, algorithm))
