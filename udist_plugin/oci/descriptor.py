"""Content descriptors (image-spec, descriptor.md)."""

from collections.abc import Mapping

from udist_plugin.errors import DigestInvalid, ManifestInvalid
from udist_plugin.oci.digest import Digest
from udist_plugin.typed import Any, NamedTuple, Self


class Descriptor(NamedTuple):
    """What points at content.

    ``size`` is in bytes, and 0 where the document has none, as some of Docker's. ``other`` keeps the
    properties not named here.
    """

    media_type: str
    digest: Digest
    size: int
    artifact_type: str | None = None
    annotations: Mapping[str, str] = {}
    other: Mapping[str, Any] = {}

    @classmethod
    def from_json(cls, value: object, where: str = "descriptor") -> Self:
        """Checks types and digest; a member that is null counts as absent.

        ``where`` names the place in errors. Raises ``ManifestInvalid`` and ``DigestInvalid``.
        """
        if not isinstance(value, dict):
            raise ManifestInvalid(f"{where}: expected an object")
        rest = without_nulls(value)
        media_type = rest.pop("mediaType", "")
        digest = rest.pop("digest", None)
        size = rest.pop("size", 0)
        artifact_type = rest.pop("artifactType", None)
        annotations = check_annotations(rest.pop("annotations", {}), where)
        if not isinstance(media_type, str):
            raise ManifestInvalid(f"{where}.mediaType: expected a string")
        if not isinstance(digest, str):
            raise ManifestInvalid(f"{where}.digest: expected a string")
        if type(size) is not int or not 0 <= size < 1 << 63:
            raise ManifestInvalid(f"{where}.size: expected a size in bytes")
        if artifact_type is not None and not isinstance(artifact_type, str):
            raise ManifestInvalid(f"{where}.artifactType: expected a string")
        try:
            return cls(media_type, Digest(digest), size, artifact_type, annotations, rest)
        except DigestInvalid as error:
            raise DigestInvalid(f"{where}.digest: {error.detail}") from None

    def to_json(self) -> dict[str, Any]:
        """The descriptor as a JSON object, named properties first."""
        value: dict[str, Any] = {"mediaType": self.media_type, "digest": str(self.digest), "size": self.size}
        if self.artifact_type is not None:
            value["artifactType"] = self.artifact_type
        if self.annotations:
            value["annotations"] = dict(self.annotations)
        return {**value, **self.other}


def without_nulls(value: dict[str, Any]) -> dict[str, Any]:
    """The members of a JSON object that are not null: programs that write one structure for all documents
    write null for what does not apply."""
    return {name: member for name, member in value.items() if member is not None}


def check_annotations(value: object, where: str) -> dict[str, str]:
    """A map of strings to strings (annotations.md); raises ``ManifestInvalid``."""
    if isinstance(value, dict):
        value = without_nulls(value)
        if all(isinstance(item, str) for item in value.values()):
            return value
    raise ManifestInvalid(f"{where}.annotations: expected a map of strings")
