"""What stands in a row of the browser's tree."""

from __future__ import annotations

from udist_plugin.cli.output import platform_text, printable, size_text
from udist_plugin.images.artifact import TITLE
from udist_plugin.oci.media_types import INDEXES
from udist_plugin.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from udist_plugin.oci.descriptor import Descriptor
    from udist_plugin.oci.digest import Digest

LISTS = ("place", "repository")
"""The kinds whose rows come in pages of the registry, and can be filtered."""

BRANCHES = (*LISTS, "tag", "index", "manifest", "referrer")
"""The kinds that have rows below them."""


class Item(NamedTuple):
    """``kind`` is place, repository, tag, index, manifest, config, layer or referrer.

    ``root`` is the tag through which all below it is read. ``descriptor`` is of what stands below a tag, and
    ``owner`` the manifest that lists it.
    """

    kind: str
    repository: str = ""
    root: str = ""
    descriptor: Descriptor | None = None
    owner: Digest | None = None

    @property
    def name(self) -> str:
        """What tells a row from its neighbours."""
        if self.descriptor is None:
            return self.root or self.repository or "(no name)"
        found = self.descriptor
        own = found.annotations.get(TITLE) or platform_text(found.other.get("platform"))
        return own or found.artifact_type or found.digest.hex[:12]

    @property
    def label(self) -> str:
        """The row's text, without characters that could control the terminal."""
        if self.descriptor is None:
            return printable(self.name)
        return printable(f"{self.kind} {self.name}  {size_text(self.descriptor.size)}")

    @property
    def path(self) -> str:
        """What the row is called as an argument of other commands."""
        if self.descriptor is not None:
            return f"{self.repository}@{self.descriptor.digest}"
        return f"{self.repository}:{self.root}" if self.root else self.repository


def manifest_item(parent: Item, descriptor: Descriptor, owner: Digest) -> Item:
    """The row of a manifest that the index ``owner`` lists."""
    kind = "index" if descriptor.media_type in INDEXES else "manifest"
    return parent._replace(kind=kind, descriptor=descriptor, owner=owner)
