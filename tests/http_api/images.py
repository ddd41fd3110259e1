"""Pushes small images over HTTP, as a client would."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from udist_plugin.oci.digest import Digest
from udist_plugin.oci.media_types import (
    DOCKER_CONFIG,
    DOCKER_LAYER,
    DOCKER_MANIFEST,
    OCI_CONFIG,
    OCI_EMPTY,
    OCI_INDEX,
    OCI_LAYER_TAR,
    OCI_MANIFEST,
    OCTET_STREAM,
)

if TYPE_CHECKING:
    from tests.http_api.wsgi import Answer, Client

ALL = ", ".join((OCI_MANIFEST, OCI_INDEX))
CONFIG = b'{"architecture":"amd64","os":"linux"}'


def push_blob(client: Client, name: str, content: bytes, algorithm: str = "sha256") -> Digest:
    """Pushes ``content`` with one POST and returns its digest."""
    digest = Digest.of(content, algorithm)
    answer = client.request("POST", f"/v2/{name}/blobs/uploads/?digest={digest}", content=content)
    assert answer.status == 201, answer
    return digest


def descriptor(content: bytes, media_type: str = OCTET_STREAM, **more: Any) -> dict[str, Any]:
    """What points at ``content``."""
    return {"mediaType": media_type, "digest": Digest.of(content), "size": len(content), **more}


def image(*layers: bytes, docker: bool = False, **more: Any) -> bytes:
    """The manifest of an image of ``layers``, with ``more`` properties."""
    document = {
        "schemaVersion": 2,
        "mediaType": DOCKER_MANIFEST if docker else OCI_MANIFEST,
        "config": descriptor(CONFIG, DOCKER_CONFIG if docker else OCI_CONFIG),
        "layers": [descriptor(layer, DOCKER_LAYER if docker else OCI_LAYER_TAR) for layer in layers],
    }
    return json.dumps(document | more).encode()


def index(*manifests: dict[str, Any], media_type: str = OCI_INDEX, **more: Any) -> bytes:
    """The index of ``manifests``, given as descriptors."""
    document = {"schemaVersion": 2, "mediaType": media_type, "manifests": list(manifests)}
    return json.dumps(document | more).encode()


def put_manifest(client: Client, name: str, reference: str, manifest: bytes, query: str = "") -> Answer:
    """Pushes ``manifest`` as the type that it names itself."""
    fields = {"Content-Type": str(json.loads(manifest)["mediaType"])}
    return client.request("PUT", f"/v2/{name}/manifests/{reference}{query}", fields, manifest)


def push_image(client: Client, name: str, tag: str, *layers: bytes, **more: Any) -> tuple[Digest, bytes]:
    """Pushes an image with its blobs and returns its digest and its manifest."""
    for blob in (CONFIG, b"{}", *layers):
        push_blob(client, name, blob)
    manifest = image(*layers, **more)
    answer = put_manifest(client, name, tag, manifest)
    assert answer.status == 201, answer
    return Digest.of(manifest), manifest


def artifact(subject: bytes, kind: str, **annotations: str) -> bytes:
    """The manifest of an artifact of type ``kind`` that refers to the image manifest ``subject``."""
    return image(
        artifactType=kind,
        config=descriptor(b"{}", OCI_EMPTY),
        subject=descriptor(subject, OCI_MANIFEST),
        annotations=annotations,
    )
