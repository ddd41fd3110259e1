"""All that belongs to an image: its manifests, their blobs, and what refers to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from udist_plugin.errors import ManifestInvalid, ManifestUnknown, NameUnknown
from udist_plugin.images.copying.plan import DEPTH_MAX, MANIFESTS_MAX
from udist_plugin.oci.descriptor import Descriptor
from udist_plugin.oci.media_types import INDEXES
from udist_plugin.oci.stored import read_stored

if TYPE_CHECKING:
    from collections.abc import Iterator

    from udist_plugin.images.transports.base import ImageSource
    from udist_plugin.oci.digest import Digest


class Node(NamedTuple):
    """``role`` is index, manifest, config, layer or referrer; ``missing`` is whether a manifest that another
    lists is not there."""

    role: str
    descriptor: Descriptor
    children: tuple[Node, ...] = ()
    missing: bool = False

    def walk(self) -> Iterator[Node]:
        """The node and all below it."""
        yield self
        for child in self.children:
            yield from child.walk()

    def sizes(self) -> dict[Digest, int]:
        """The size in bytes of each manifest and blob that is there."""
        return {node.descriptor.digest: node.descriptor.size for node in self.walk() if not node.missing}


def tree_of(source: ImageSource) -> Node:
    """The tree of an image. Blobs are not looked at.

    Raises ``ManifestInvalid`` for one that is too deep or too large, and what reading manifests raises.
    """
    found = source.get_manifest()
    manifest = read_stored(found.content, found.digest)
    root = Descriptor(manifest.media_type, found.digest, len(found.content), manifest.artifact_type)
    return _Survey(source).node("", root, 0)


class _Survey:
    def __init__(self, source: ImageSource) -> None:
        self._source = source
        self._count = 0

    def node(self, role: str, descriptor: Descriptor, depth: int) -> Node:
        """A manifest and all below it."""
        self._count += 1
        if self._count > MANIFESTS_MAX:
            raise ManifestInvalid(f"the image has more than {MANIFESTS_MAX} manifests")
        if depth > DEPTH_MAX:
            raise ManifestInvalid(f"manifests refer to each other more than {DEPTH_MAX} deep")
        role = role or ("index" if descriptor.media_type in INDEXES else "manifest")
        try:
            content = self._source.get_manifest(descriptor.digest).content
        except (ManifestUnknown, NameUnknown):
            return Node(role, descriptor, missing=True)
        manifest = read_stored(content, descriptor.digest)
        children = [self.node("", each, depth + 1) for each in manifest.manifests]
        children += [Node("config", manifest.config)] if manifest.config else []
        children += [Node("layer", layer) for layer in manifest.layers]
        referrers = self._source.list_referrers(descriptor.digest)
        children += [self.node("referrer", each, depth + 1) for each in referrers]
        return Node(role, descriptor, tuple(children))
