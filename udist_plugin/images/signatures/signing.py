"""Signs an image, in both forms of cosign."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from udist_plugin.errors import ManifestUnknown, NameUnknown, SignatureError, Unavailable
from udist_plugin.images.artifact import EMPTY, EMPTY_CONTENT, manifest_of
from udist_plugin.images.referrers import described, tag_referrers
from udist_plugin.images.signatures import bundle, simple_signing
from udist_plugin.images.signatures.attached import Attached, find_attached, signature_tag
from udist_plugin.images.signatures.bundle import Envelope, statement_about
from udist_plugin.images.signatures.joining import with_layers
from udist_plugin.images.signatures.simple_signing import Claim
from udist_plugin.images.strict_json import Unexpected
from udist_plugin.oci.descriptor import Descriptor
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.manifest import Manifest, load_document
from udist_plugin.oci.media_types import OCI_CONFIG, OCI_MANIFEST

if TYPE_CHECKING:
    from udist_plugin.images.signatures.keys import PrivateKey
    from udist_plugin.registry import ManifestContent, Registry

ATTEMPTS: Final = 5
"""How often a tag is written again that somebody else has written at the same time."""


class Signed(NamedTuple):
    """The image's digest; the tag and the digest of the referrer where its signatures are."""

    digest: Digest
    tag: str
    referrer: Digest


def sign_image(registry: Registry, name: str, target: str, key: PrivateKey, identity: str) -> Signed:
    """Signs an image of the repository ``name``, by tag or digest, and attaches the signatures to it.

    ``identity`` is what the image is called where it is pulled, with a tag or digest: no default policy
    accepts a signature for a name alone. One signature is at the tag where cosign and containers/image look
    for it, and one is a bundle among the referrers, where cosign 3 looks first. What the key has signed
    before is not signed again. Raises the registry's errors, and ``Unavailable`` if others keep writing the
    tag.
    """
    image = registry.get_manifest(name, Digest.or_tag(target))
    return Signed(
        image.digest,
        _at_tag(registry, name, image, key, identity),
        _as_referrer(registry, name, image, key, identity),
    )


def _at_tag(registry: Registry, name: str, image: ManifestContent, key: PrivateKey, identity: str) -> str:
    """Adds a signature to those at the tag. Whoever writes the tag at the same time does not know of ours, so
    it is looked for afterwards, and added again if it is gone."""
    payload = Claim(Digest.of(image.content), identity).payload()
    layer = _put(registry, name, simple_signing.MEDIA_TYPE, payload)
    layer = layer._replace(annotations={simple_signing.SIGNATURE: _base64(key.sign(payload))})
    tag = signature_tag(image.content)
    for _ in range(ATTEMPTS):
        document = _document_at(registry, name, tag)
        if any(_is_ours(each, layer, payload, key) for each in document["layers"]):
            return tag
        manifest, config = with_layers(document, [*document["layers"], layer.to_json()])
        _put(registry, name, OCI_CONFIG, config)
        registry.push_manifest(name, manifest, [tag])
    raise Unavailable({"tag": tag}, "others keep writing this tag; try again")


def _document_at(registry: Registry, name: str, tag: str) -> dict[str, Any]:
    """The manifest at ``tag``, or a new one without layers."""
    try:
        found = registry.get_manifest(name, tag)
    except (ManifestUnknown, NameUnknown):
        return {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "layers": []}
    manifest = Manifest.parse(found.content, found.media_type)
    if manifest.is_index:
        raise SignatureError("this tag is for signatures, and an index is there; delete it", f"{name}:{tag}")
    document = load_document(found.content) | {"mediaType": OCI_MANIFEST}
    return document | {"layers": [layer.to_json() for layer in manifest.layers]}


def _is_ours(each: dict[str, Any], layer: Descriptor, payload: bytes, key: PrivateKey) -> bool:
    """Whether a layer is a signature of ``payload`` by ``key``, perhaps an earlier one."""
    if each["digest"] != layer.digest:
        return False
    try:
        signature = base64.b64decode(each.get("annotations", {}).get(simple_signing.SIGNATURE, ""))
    except ValueError:
        return False
    return key.public.verifies(signature, payload)


def _as_referrer(
    registry: Registry, name: str, image: ManifestContent, key: PrivateKey, identity: str
) -> Digest:
    """Attaches a bundle, unless there is the same one already."""
    unsigned = Envelope(statement_about(image.digest, identity))
    for each in find_attached(registry, name, image.digest, image.content):
        if each.is_bundle and ":" in each.place and _is_signed(each, unsigned, key):
            return Digest(each.place)
    envelope = unsigned._replace(signature=key.sign(unsigned.message))
    content = envelope.bundle(key.public.fingerprint)
    layer = _put(registry, name, bundle.MEDIA_TYPE, content)
    registry.push_blob(name, EMPTY.digest, io.BytesIO(EMPTY_CONTENT))
    subject = Descriptor(image.media_type, image.digest, len(image.content))
    referrer = Manifest.parse(
        manifest_of([layer], bundle.MEDIA_TYPE, bundle.ANNOTATIONS, subject), OCI_MANIFEST
    )
    registry.push_manifest(name, referrer)
    tag_referrers(registry, name, image.digest, [described(referrer)])
    return referrer.digest


def _is_signed(each: Attached, unsigned: Envelope, key: PrivateKey) -> bool:
    try:
        found = Envelope.parse(each.content)
    except Unexpected:
        return False
    return found.payload == unsigned.payload and key.public.verifies(found.signature, found.message)


def _put(registry: Registry, name: str, media_type: str, content: bytes) -> Descriptor:
    digest = Digest.of(content)
    registry.push_blob(name, digest, io.BytesIO(content))
    return Descriptor(media_type, digest, len(content))


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
