"""What refers to an image in a registry, and what cosign attaches to it at tags."""

from __future__ import annotations

import json
from contextlib import suppress

from udist_plugin.errors import ManifestUnknown, NameUnknown, Unsupported
from udist_plugin.oci.descriptor import Descriptor
from udist_plugin.oci.manifest import Manifest
from udist_plugin.oci.media_types import OCI_INDEX
from udist_plugin.oci.reference import referrers_tag
from udist_plugin.oci.stored import read_stored
from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from udist_plugin.oci.digest import Digest
    from udist_plugin.registry import Registry

ATTACHMENTS: Final = (".sig", ".att", ".sbom")
"""What the tags of cosign's attachments end in: signatures, attestations, and bills of materials."""


def referrers_of(registry: Registry, name: str, digest: Digest) -> Iterator[Descriptor]:
    """The referrers of ``digest`` in the repository ``name``; where a registry does not list them, those in
    the index that clients keep at a tag (distribution-spec, "Referrers Tag Schema")."""
    last: str | None = ""
    try:
        while last is not None:
            referrers, last = registry.list_referrers(name, digest, last=last)
            yield from referrers
    except (NameUnknown, ManifestUnknown, Unsupported):
        with suppress(NameUnknown, ManifestUnknown):
            found = registry.get_manifest(name, referrers_tag(digest))
            yield from read_stored(found.content, found.digest).manifests


def tag_referrers(registry: Registry, name: str, subject: Digest, referrers: Iterable[Descriptor]) -> None:
    """Adds ``referrers``, which are there, to the index at the tag, where the registry does not list them."""
    referrers = list(referrers)
    if not referrers or _lists_referrers(registry, name, subject):
        return
    there = list(referrers_of(registry, name, subject))
    known = {referrer.digest for referrer in there}
    new = [referrer for referrer in referrers if referrer.digest not in known]
    if new:
        manifests = [referrer.to_json() for referrer in (*there, *new)]
        index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests}
        content = json.dumps(index, separators=(",", ":")).encode()
        registry.push_manifest(name, Manifest.parse(content), [referrers_tag(subject)])


def _lists_referrers(registry: Registry, name: str, subject: Digest) -> bool:
    try:
        registry.list_referrers(name, subject)
    except (NameUnknown, ManifestUnknown, Unsupported):
        return False
    return True


def described(referrer: Manifest) -> Descriptor:
    """The descriptor of a manifest in a list of referrers (distribution-spec, "Listing Referrers")."""
    return Descriptor(
        referrer.media_type,
        referrer.digest,
        len(referrer.content),
        referrer.referrer_type,
        referrer.annotations,
    )


def attachment_tags(digest: Digest) -> list[str]:
    """The tags of what cosign attaches to the manifest with ``digest``."""
    return [f"{digest.algorithm}-{digest.hex}{ending}" for ending in ATTACHMENTS]
