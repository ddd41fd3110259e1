"""Signatures or attestations by several parties in one manifest, as cosign keeps them at a tag."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from udist_plugin.oci.descriptor import Descriptor
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.manifest import Manifest, load_document
from udist_plugin.oci.media_types import OCI_CONFIG, OCI_MANIFEST

if TYPE_CHECKING:
    from collections.abc import Sequence


def joined(there: Manifest, other: Manifest) -> tuple[Manifest, bytes]:
    """``there`` with what only ``other`` has; the manifest and the bytes of its configuration.

    The bytes are empty where ``there`` has all, or where one of them is an index: then ``other`` counts.
    """
    if there.is_index or other.is_index:
        return other, b""
    layers = [layer.to_json() for layer in there.layers]
    new = [found for layer in other.layers if (found := layer.to_json()) not in layers]
    if not new:
        return there, b""
    return with_layers(load_document(there.content), [*layers, *new])


def with_layers(document: dict[str, Any], layers: Sequence[dict[str, Any]]) -> tuple[Manifest, bytes]:
    """The manifest ``document`` with ``layers`` instead of its own, and the bytes of the configuration that
    belongs to them."""
    rootfs = {"type": "layers", "diff_ids": [layer["digest"] for layer in layers]}  # none is compressed
    config = json.dumps({"architecture": "", "os": "", "config": {}, "rootfs": rootfs}).encode()
    described = Descriptor(OCI_CONFIG, Digest.of(config), len(config))
    changed = {"mediaType": OCI_MANIFEST, "layers": list(layers), "config": described.to_json()}
    return Manifest.parse(json.dumps({**document, **changed}).encode(), OCI_MANIFEST), config
