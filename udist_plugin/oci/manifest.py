"""Manifests and indexes (image-spec, manifest.md and image-index.md; Docker schema 2 and its list)."""

from udist_plugin.errors import ManifestInvalid, ManifestTooLarge
from udist_plugin.oci.descriptor import Descriptor, check_annotations, without_nulls
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.media_types import INDEXES, MANIFESTS, OCI_INDEX, OCI_MANIFEST
from udist_plugin.typed import Any, Final, NamedTuple, NoReturn, Self

MANIFEST_MAX: Final = 4 << 20
"""The largest manifest accepted, in bytes (distribution-spec, "Pushing Manifests")."""


class Manifest(NamedTuple):
    """A manifest or index: its bytes, which stay the truth, and what they say. ``digest`` is theirs.

    ``stated_type`` is the media type that the document says or implies by itself.
    """

    content: bytes
    media_type: str
    digest: Digest
    stated_type: str = ""
    config: Descriptor | None = None
    layers: tuple[Descriptor, ...] = ()
    manifests: tuple[Descriptor, ...] = ()
    subject: Descriptor | None = None
    artifact_type: str | None = None
    annotations: dict[str, str] = {}  # noqa: RUF012 - never changed

    @property
    def descriptor(self) -> Descriptor:
        """What points at it, without annotations."""
        return Descriptor(self.media_type, self.digest, len(self.content))

    @property
    def is_index(self) -> bool:
        return self.media_type in INDEXES

    @property
    def blobs(self) -> tuple[Descriptor, ...]:
        """The blobs it refers to: configuration first, then layers."""
        return (self.config, *self.layers) if self.config else self.layers

    @property
    def referrer_type(self) -> str | None:
        """The artifact type in a referrers list (distribution-spec, "Listing Referrers"): the manifest's
        own, else its configuration's media type."""
        return self.artifact_type or (self.config.media_type if self.config else None)

    @classmethod
    def parse(
        cls, content: bytes, media_type: str = "", digest: Digest | None = None, *, hashed: bool = False
    ) -> Self:
        """Reads ``content``, pushed or stored as ``media_type``; ``digest`` is what it should have, sha256's
        unless given, and is not looked at again where it was ``hashed`` before.

        The document's own ``mediaType`` wins where it has one, and must agree. Members that are null count as
        absent. Raises ``ManifestTooLarge``, ``DigestInvalid``, and ``ManifestInvalid`` for what is not JSON,
        not a known manifest, or contradicts itself.
        """
        if len(content) > MANIFEST_MAX:
            raise ManifestTooLarge({"size": len(content), "limit": MANIFEST_MAX})
        if digest is None or not hashed:
            actual = Digest.of(content, digest.algorithm if digest else "sha256")
            if digest:
                digest.check(actual)
            digest = actual
        document = load_document(content)
        own = document.get("mediaType", "")
        if not isinstance(own, str):
            raise ManifestInvalid("mediaType: expected a string")
        if own and media_type and own != media_type:
            raise ManifestInvalid(f"mediaType: the document says {own!r}, the request {media_type!r}")
        stated = own or (OCI_INDEX if "manifests" in document else OCI_MANIFEST)
        kind = own or media_type or stated
        if kind not in MANIFESTS:
            raise ManifestInvalid(f"mediaType: {kind!r} is not an image manifest or index")
        version = document.get("schemaVersion")
        if type(version) is not int or version != 2:
            raise ManifestInvalid("schemaVersion: expected 2")
        if kind in INDEXES and ("layers" in document or "config" in document):
            raise ManifestInvalid("an index must not have config or layers")
        if kind not in INDEXES and "manifests" in document:
            raise ManifestInvalid("an image manifest must not have manifests")
        return cls(
            content,
            kind,
            digest,
            stated,
            None if kind in INDEXES else Descriptor.from_json(document.get("config"), "config"),
            () if kind in INDEXES else _descriptors(document, "layers"),
            _descriptors(document, "manifests") if kind in INDEXES else (),
            Descriptor.from_json(document["subject"], "subject") if document.get("subject") else None,
            _optional_string(document, "artifactType"),
            check_annotations(document.get("annotations", {}), "manifest"),
        )


def load_document(content: bytes) -> dict[str, Any]:
    """The members of a JSON object, without those that are null. Raises ``ManifestInvalid``.

    As in Go's ``encoding/json``, what is not UTF-8 reads as U+FFFD.
    """
    import json

    try:
        # As text, for bytes may also be UTF-16 or begin with a mark to the module, and to no other reader.
        document = json.loads(content.decode(errors="replace"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ManifestInvalid(f"not JSON: {error}") from None
    if not isinstance(document, dict):
        raise ManifestInvalid("expected a JSON object")
    return without_nulls(document)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")


def _descriptors(document: dict[str, Any], key: str) -> tuple[Descriptor, ...]:
    values = document.get(key, [])
    if not isinstance(values, list):
        raise ManifestInvalid(f"{key}: expected a list")
    return tuple(Descriptor.from_json(value, f"{key}[{index}]") for index, value in enumerate(values))


def _optional_string(document: dict[str, Any], key: str) -> str | None:
    value = document.get(key)
    if value is not None and not isinstance(value, str):
        raise ManifestInvalid(f"{key}: expected a string")
    return value or None
