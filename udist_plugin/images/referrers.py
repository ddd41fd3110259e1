"""What refers to an image in a registry."""

from __future__ import annotations

from contextlib import suppress

from udist_plugin.errors import ManifestUnknown, NameUnknown, Unsupported
from udist_plugin.oci.reference import referrers_tag
from udist_plugin.oci.stored import read_stored
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from udist_plugin.oci.descriptor import Descriptor
    from udist_plugin.oci.digest import Digest
    from udist_plugin.registry import Registry


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
