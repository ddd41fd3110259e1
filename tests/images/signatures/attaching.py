"""Attaches anything to an image, as anybody may."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

from udist_plugin.images.artifact import EMPTY, EMPTY_CONTENT, manifest_of
from udist_plugin.images.signatures import bundle, simple_signing
from udist_plugin.images.signatures.attached import signature_tag
from udist_plugin.oci.descriptor import Descriptor
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.manifest import Manifest
from udist_plugin.oci.media_types import OCI_MANIFEST

if TYPE_CHECKING:
    from tests.images.signatures.conftest import Image

NAME = "team/app"


def put_blob(image: Image, media_type: str, content: bytes, **annotations: str) -> Descriptor:
    digest = Digest.of(content)
    image.registry.push_blob(NAME, digest, io.BytesIO(content))
    return Descriptor(media_type, digest, len(content), annotations=annotations)


def attach(image: Image, content: bytes, kind: str = bundle.MEDIA_TYPE, size: int | None = None) -> str:
    """Attaches ``content`` as a referrer; its digest. ``size`` is what is said of it."""
    layer = put_blob(image, kind, content)._replace(size=len(content) if size is None else size)
    image.registry.push_blob(NAME, EMPTY.digest, io.BytesIO(EMPTY_CONTENT))
    subject = image.registry.resolve_manifest(NAME, image.digest)
    manifest = Manifest.parse(manifest_of([layer], kind, subject=subject), OCI_MANIFEST)
    return image.registry.push_manifest(NAME, manifest).digest


def put_at_tag(image: Image, *layers: Descriptor) -> str:
    """Writes ``layers`` to the tag for signatures; the tag."""
    config = put_blob(image, "application/vnd.oci.image.config.v1+json", b"{}")
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": config.to_json(),
        "layers": [layer.to_json() for layer in layers],
    }
    tag = tag_of(image)
    image.registry.push_manifest(NAME, Manifest.parse(json.dumps(document).encode(), OCI_MANIFEST), [tag])
    return tag


def claim(image: Image, payload: bytes, signature: str) -> Descriptor:
    """A layer of a claim and its signature in base64."""
    layer = put_blob(image, simple_signing.MEDIA_TYPE, payload)
    return layer._replace(annotations={simple_signing.SIGNATURE: signature})


def tag_of(image: Image) -> str:
    return signature_tag(image.registry.get_manifest(NAME, image.digest).content)
