"""The form of an artifact (image-spec, manifest.md, "Guidelines for Artifact Usage"; oras' file store).

An artifact is an image manifest whose configuration is the empty descriptor. Each layer is one file or one
folder, named by ``org.opencontainers.image.title``; a folder is a tar+gzip that says it wants unpacking.

Unlike oras, nothing here writes ``org.opencontainers.image.created``: the same files make the same digest,
so that pushing them again changes nothing. Who wants the date gives it as an annotation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from udist_plugin.oci.descriptor import Descriptor
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.media_types import OCI_EMPTY, OCI_MANIFEST

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TITLE: Final = "org.opencontainers.image.title"
UNPACK: Final = "io.deis.oras.content.unpack"
CONTENT_DIGEST: Final = "io.deis.oras.content.digest"
"""The digest of a packed folder before its compression."""

UNKNOWN_ARTIFACT: Final = "application/vnd.unknown.artifact.v1"
"""The artifact type when none is given, as oras has it: with an empty configuration there must be one."""

EMPTY_CONTENT: Final = b"{}"
EMPTY: Final = Descriptor(
    OCI_EMPTY,
    Digest("sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"),
    len(EMPTY_CONTENT),
    other={"data": "e30="},
)
"""The empty descriptor, with its content inside."""


class Layer(NamedTuple):
    """A layer by what its descriptor says of files: ``title``, and whether it is a folder to unpack."""

    descriptor: Descriptor
    title: str
    unpack: bool

    @classmethod
    def of(cls, descriptor: Descriptor) -> Layer | None:
        """``None`` for a layer without a name: oras and udist leave those alone."""
        title = descriptor.annotations.get(TITLE)
        return cls(descriptor, title, descriptor.annotations.get(UNPACK) == "true") if title else None


def manifest_of(
    layers: Sequence[Descriptor],
    artifact_type: str | None = None,
    annotations: Mapping[str, str] | None = None,
    subject: Descriptor | None = None,
) -> bytes:
    """The manifest's bytes, byte for byte what oras writes, but for the date it adds."""
    import json

    document: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": artifact_type or UNKNOWN_ARTIFACT,
        "config": EMPTY.to_json(),
        "layers": [layer.to_json() for layer in layers or [EMPTY]],
    }
    if subject is not None:
        document["subject"] = Descriptor(subject.media_type, subject.digest, subject.size).to_json()
    if annotations:
        document["annotations"] = dict(sorted(annotations.items()))
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
