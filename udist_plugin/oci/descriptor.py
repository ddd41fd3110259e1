"""Content descriptors (image-spec, descriptor.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from udist_plugin.errors import ManifestInvalid
from udist_plugin.oci.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Mapping


class Descriptor(NamedTuple):
    """What points at content. ``size`` is in bytes; ``other`` keeps the properties not named here."""

    media_type: str
    digest: Digest
    size: int
    artifact_type: str | None = None
    annotations: Mapping[str, str] = {}
    other: Mapping[str, Any] = {}

    @classmethod
    def from_json(cls, value: object, where: str = "descriptor") -> Descriptor:
        """Checks types and digest; ``where`` names the place in the error. Raises ``ManifestInvalid``."""
        if not isinstance(value, dict):
            raise ManifestInvalid(f"{where}: expected an object")
        rest = dict(value)
        media_type = rest.pop("mediaType", "")
        digest = rest.pop("digest", None)
        size = rest.pop("size", None)
        artifact_type = rest.pop("artifactType", None)
        annotations = rest.pop("annotations", None) or {}
        if not isinstance(media_type, str):
            raise ManifestInvalid(f"{where}.mediaType: expected a string")
        if not isinstance(digest, str):
            raise ManifestInvalid(f"{where}.digest: expected a string")
        if type(size) is not int or not 0 <= size < 1 << 63:
            raise ManifestInvalid(f"{where}.size: expected a size in bytes")
        if artifact_type is not None and not isinstance(artifact_type, str):
            raise ManifestInvalid(f"{where}.artifactType: expected a string")
        return cls(
            media_type, Digest(digest), size, artifact_type, check_annotations(annotations, where), rest
        )

    def to_json(self) -> dict[str, Any]:
        """The descriptor as a JSON object, named properties first."""
        value: dict[str, Any] = {"mediaType": self.media_type, "digest": str(self.digest), "size": self.size}
        if self.artifact_type is not None:
            value["artifactType"] = self.artifact_type
        if self.annotations:
            value["annotations"] = dict(self.annotations)
        return {**value, **self.other}


def check_annotations(value: object, where: str) -> dict[str, str]:
    """A map of strings to strings (annotations.md); raises ``ManifestInvalid``."""
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise ManifestInvalid(f"{where}.annotations: expected a map of strings")
    return value
