"""The signatures of an image that a registry has: those at cosign's tag, and those among the referrers.

Anybody may attach anything to an image. What cannot be read is an entry like any other, so that it hides
nothing beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from udist_plugin.errors import (
    BlobUnknown,
    DigestInvalid,
    ManifestInvalid,
    ManifestTooLarge,
    ManifestUnknown,
    NameUnknown,
    SizeInvalid,
)
from udist_plugin.images.referrers import referrers_of
from udist_plugin.images.signatures import bundle, simple_signing
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.stored import read_stored

if TYPE_CHECKING:
    from collections.abc import Iterator

    from udist_plugin.oci.descriptor import Descriptor
    from udist_plugin.registry import Registry

SIZE_MAX: Final = 4 << 20
"""Bytes of what is signed, or of a bundle."""
COUNT_MAX: Final = 1000
"""Signatures looked at, of one image, and referrers in which they are looked for."""
ALL_SIZES_MAX: Final = 64 << 20
"""Bytes of all that is looked at, of one image."""

REFERRER_TYPE: Final = "application/vnd.dev.cosign.artifact.sig.v1+json"
"""The artifact type of a signature that cosign 2 attaches as a referrer."""


_OF_ONE_ENTRY: Final = (BlobUnknown, DigestInvalid, ManifestInvalid, ManifestTooLarge, SizeInvalid)
"""What the registry says of one entry, and not of itself."""


class Attached(NamedTuple):
    """One entry: ``place`` is the tag or the digest of the manifest that has it as a ``layer``, or a URL.

    ``content`` is what is signed, or a bundle, or a GPG signature, which has no layer. If it cannot be had,
    ``problem`` says why.
    """

    place: str
    layer: Descriptor | None = None
    content: bytes = b""
    problem: str = ""

    @property
    def is_bundle(self) -> bool:
        return self.layer is not None and self.layer.media_type.startswith(bundle.MEDIA_TYPES)

    @property
    def is_claim(self) -> bool:
        return self.layer is not None and self.layer.media_type == simple_signing.MEDIA_TYPE

    @property
    def is_gpg(self) -> bool:
        return self.layer is None and not self.problem

    @property
    def signature(self) -> str:
        """That of what is signed, in base64; a bundle has its own."""
        return self.layer.annotations.get(simple_signing.SIGNATURE, "") if self.layer else ""


def signature_tag(manifest: bytes) -> str:
    """The tag for the signatures of ``manifest``: ``sha256-<hex>.sig``."""
    return f"{str(Digest.of(manifest)).replace(':', '-')}.sig"


def find_attached(registry: Registry, name: str, digest: Digest, manifest: bytes) -> Iterator[Attached]:
    """What is attached to the image ``manifest``, which the repository ``name`` has under ``digest``.

    Raises what the registry raises, unless one entry alone is concerned.
    """
    left = ALL_SIZES_MAX
    for count, each in enumerate(_entries(registry, name, digest, manifest)):
        if count == COUNT_MAX:
            yield each._replace(problem=f"there are more than {COUNT_MAX} signatures")
            return
        if each.layer is None:
            yield each
        elif each.layer.size > min(SIZE_MAX, left):
            yield each._replace(problem=f"too large, {each.layer.size} bytes")
        else:
            left -= each.layer.size
            yield _with_content(registry, name, each, each.layer)


def _with_content(registry: Registry, name: str, each: Attached, layer: Descriptor) -> Attached:
    try:
        with registry.open_blob(name, layer.digest) as blob:
            content = blob.read() if blob.size == layer.size else b""
    except _OF_ONE_ENTRY as error:
        return each._replace(problem=str(error))
    if Digest.of(content, layer.digest.algorithm) != layer.digest:
        return each._replace(problem="the content has another size or digest")
    return each._replace(content=content)


def _entries(registry: Registry, name: str, digest: Digest, manifest: bytes) -> Iterator[Attached]:
    """What is at the tag, and among the referrers that are about signatures, without the content."""
    yield from _layers(registry, name, signature_tag(manifest))
    about_signatures = filter(_can_be_signature, referrers_of(registry, name, digest))
    for count, referrer in enumerate(about_signatures):
        if count == COUNT_MAX:
            yield Attached(referrer.digest, problem=f"there are more than {COUNT_MAX} such referrers")
            return
        yield from _layers(registry, name, referrer.digest)


def _can_be_signature(referrer: Descriptor) -> bool:
    kind = referrer.artifact_type
    return kind is None or kind == REFERRER_TYPE or kind.startswith(bundle.MEDIA_TYPES)


def _layers(registry: Registry, name: str, target: str) -> Iterator[Attached]:
    """The layers that hold a signature; none if there is no such manifest."""
    try:
        found = registry.get_manifest(name, Digest.or_tag(target))
    except (ManifestUnknown, NameUnknown):
        return
    except _OF_ONE_ENTRY as error:
        yield Attached(target, problem=str(error))
        return
    for layer in read_stored(found.content, found.digest).layers:
        entry = Attached(target, layer)
        if entry.is_claim or entry.is_bundle:
            yield entry
