"""What the browser reads and deletes: nothing here knows of a screen."""

from __future__ import annotations

from contextlib import closing
from itertools import islice

from udist_plugin.cli.browse.items import Item, manifest_item
from udist_plugin.cli.browse.shown import Shown, document, listing
from udist_plugin.cli.output import printable
from udist_plugin.images.configuration import read_config
from udist_plugin.images.rootfs.layer import members_of
from udist_plugin.oci.stored import read_stored
from udist_plugin.registry import Page
from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from udist_plugin.images.system import SystemContext
    from udist_plugin.images.transports.base import ImageSource, Repositories
    from udist_plugin.oci.digest import Digest
    from udist_plugin.oci.manifest import Manifest

ROWS: Final = 100
"""How many rows are read at once."""

FILTERED_ROWS: Final = 1000
FILTERED_PAGES: Final = 20
"""How many names a request reads where a filter chooses among them, and how many requests find a page."""

FILES_MAX: Final = 1000
"""How many files of a layer are listed."""


class Store:
    """The repositories of a place, read page by page. Safe for any number of threads.

    Its methods raise what the place raises.
    """

    def __init__(self, repositories: Repositories, system: SystemContext) -> None:
        self._repositories = repositories
        self._system = system

    def children(self, parent: Item, last: str = "", containing: str = "") -> Page[Item]:
        """The rows below ``parent`` that come after ``last``, which the page before said.

        Of repositories and tags only those whose name has ``containing`` in it; where such names are rare, a
        page may have few of them, or none, and not be the last.
        """
        if parent.kind == "place":
            names = self._names(parent, last, containing)
            return Page([Item("repository", name) for name in names.items], names.last)
        if parent.kind == "repository":
            names = self._names(parent, last, containing)
            return Page([Item("tag", parent.repository, name) for name in names.items], names.last)
        start = int(last or 0)
        items = self._below(parent)
        end = start + ROWS
        return Page(items[start:end], str(end) if end < len(items) else None)

    def show(self, item: Item) -> Shown:
        """What a row stands for: a manifest, a configuration, or what is known of a layer."""
        if item.kind == "place":
            return Shown("Press ? for the keys.")
        if item.kind == "repository":
            return Shown(printable(item.name), ["Open it to list its tags."])
        with self._source(item) as source:
            if item.kind == "layer":
                return document(item, None)
            if item.kind == "config":
                return document(item, read_config(source, _manifest(source, item.owner)))
            manifest = _manifest(source, item.descriptor.digest if item.descriptor else None)
            return document(item, manifest.content, manifest)

    def files(self, item: Item) -> Shown:
        """The first files of a layer. One that ends before is verified."""
        assert item.descriptor is not None
        with self._source(item) as source, closing(members_of(source, item.descriptor)) as members:
            found = [member.entry for member in islice(members, FILES_MAX + 1)]
        return listing(item, found[:FILES_MAX], complete=len(found) <= FILES_MAX)

    def digest(self, item: Item) -> Digest | None:
        """Of what the row stands for; a repository has none."""
        if item.descriptor is not None:
            return item.descriptor.digest
        return self._repositories.resolve(item.repository, item.root) if item.root else None

    def delete(self, item: Item) -> None:
        """Deletes a tag; its manifest stays."""
        self._repositories.reference(item.repository, item.root).delete_image(self._system)

    def cancel(self) -> None:
        """Makes whatever other threads do here end soon."""
        self._repositories.cancel()

    def _names(self, parent: Item, last: str, containing: str) -> Page[str]:
        if not containing:
            return self._page(parent, ROWS, last)
        found: list[str] = []
        cursor: str | None = last
        for _ in range(FILTERED_PAGES):
            names, cursor = self._page(parent, FILTERED_ROWS, cursor or "")
            found += [name for name in names if containing in name]
            if len(found) > ROWS:
                return Page(found[:ROWS], found[ROWS - 1])
            if cursor is None:
                break
        return Page(found, cursor)

    def _page(self, parent: Item, limit: int, last: str) -> Page[str]:
        if parent.kind == "place":
            return self._repositories.page_repositories(limit, last)
        return self._repositories.page_tags(parent.repository, limit, last)

    def _below(self, parent: Item) -> list[Item]:
        """Manifests, or a configuration and layers, and what refers to them."""
        with self._source(parent) as source:
            manifest = _manifest(source, parent.descriptor.digest if parent.descriptor else None)
            referrers = source.list_referrers(manifest.digest)
        owner = manifest.digest
        items = [manifest_item(parent, each, owner) for each in manifest.manifests]
        config = [manifest.config] if manifest.config else []
        for kind, found in (("config", config), ("layer", manifest.layers), ("referrer", referrers)):
            items += [parent._replace(kind=kind, descriptor=each, owner=owner) for each in found]
        return items

    def _source(self, item: Item) -> ImageSource:
        return self._repositories.reference(item.repository, item.root).new_image_source(self._system)


def _manifest(source: ImageSource, digest: Digest | None) -> Manifest:
    found = source.get_manifest(digest)
    return read_stored(found.content, found.digest)
