"""Manifests as stores hold them: other servers accepted them, so they are served whatever they look like."""

from __future__ import annotations

from udist_plugin.errors import DigestInvalid, ManifestInvalid
from udist_plugin.oci.descriptor import Descriptor
from udist_plugin.oci.manifest import Manifest, load_document
from udist_plugin.oci.media_types import (
    DOCKER_SCHEMA_1,
    DOCKER_SCHEMA_1_SIGNED,
    INDEXES,
    OCI_INDEX,
    OCI_MANIFEST,
    OCTET_STREAM,
)
from udist_plugin.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from udist_plugin.oci.digest import Digest

_MEDIA_TYPE: Final = (
    r"[\w!#$&^.+-]{1,127}/[\w!#$&^.+-]{1,127}"  # RFC 6838, section 4.2; compiled on first use
)


def read_stored(content: bytes, digest: Digest) -> Manifest:
    """What a manifest of a store says, as far as it can be understood; ``digest`` is that of ``content``.

    Whatever is malformed counts as absent; nothing is raised.
    """
    try:
        document = load_document(content)
    except ManifestInvalid:
        return Manifest(content, OCTET_STREAM, digest)
    kind = _media_type(document)
    is_index = kind in INDEXES
    artifact_type, annotations = document.get("artifactType"), document.get("annotations")
    if not isinstance(annotations, dict):
        annotations = {}
    return Manifest(
        content,
        kind,
        digest,
        config=None if is_index else _descriptor(document.get("config")),
        layers=() if is_index else _descriptors(document.get("layers")),
        manifests=_descriptors(document.get("manifests")) if is_index else (),
        subject=_descriptor(document.get("subject")),
        artifact_type=artifact_type if isinstance(artifact_type, str) and artifact_type else None,
        annotations={key: text for key, text in annotations.items() if isinstance(text, str)},
    )


def _media_type(document: dict[str, Any]) -> str:
    """The document's own, else the one that its members imply."""
    import re

    own = document.get("mediaType")
    if isinstance(own, str) and re.fullmatch(_MEDIA_TYPE, own, re.ASCII):
        return own
    if document.get("schemaVersion") == 1:
        return DOCKER_SCHEMA_1_SIGNED if "signatures" in document else DOCKER_SCHEMA_1
    return OCI_INDEX if "manifests" in document else OCI_MANIFEST


def _descriptor(value: object) -> Descriptor | None:
    try:
        return Descriptor.from_json(value)
    except (ManifestInvalid, DigestInvalid):
        return None


def _descriptors(values: object) -> tuple[Descriptor, ...]:
    found = map(_descriptor, values if isinstance(values, list) else ())
    return tuple(descriptor for descriptor in found if descriptor is not None)
