"""Tags: a folder each, whose ``current/link`` says what it points at. Without that link there is no tag."""

from __future__ import annotations

from udist_plugin.errors import InvalidPath, ManifestUnknown, NameUnknown, PathNotFound
from udist_plugin.oci.reference import tag_matcher
from udist_plugin.registry import Page
from udist_plugin.storage import paths
from udist_plugin.storage.links import LINK_MIN, link_content, read_link
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from udist_plugin.drivers.base import StorageDriver
    from udist_plugin.oci.digest import Digest


class TagStore:
    """The tag verbs of ``Registry``, and what manifests need of tags."""

    def __init__(self, driver: StorageDriver, lookups: int = 1) -> None:
        """``lookups`` is how many tags to look up at once where all of a repository's are."""
        self._driver = driver
        self._lookups = lookups

    def get(self, name: str, tag: str) -> Digest:
        """What the tag points at. Raises ``ManifestUnknown``."""
        digest = read_link(self._driver, paths.tag_current(name, tag))
        if digest is None:
            raise ManifestUnknown({"Tag": tag})
        return digest

    def delete(self, name: str, tag: str, target: Digest | None = None) -> None:
        """Deletes a tag, with ``target`` only if it points there. Raises ``ManifestUnknown``.

        A tag that is moved at the same time stays: it was moved after this deletion.
        """
        try:
            current = paths.tag_current(name, tag)
            content = link_content(target) if target else self._driver.get_content(current)
            self._driver.delete_if(paths.tag(name, tag), paths.CURRENT, content)
        except (PathNotFound, InvalidPath):  # the latter below a file, which is none of ours
            raise ManifestUnknown({"Tag": tag}) from None

    def pointing_at(self, name: str, digest: Digest) -> tuple[str, ...]:
        """Every tag that points at ``digest``. Raises ``StorageError`` if one could not be looked up."""
        names = self.names(name)
        links = self._links([paths.tag_current(name, tag) for tag in names])
        return tuple(tag for tag, link in zip(names, links, strict=True) if link == digest)

    def list(self, name: str, limit: int | None = None, last: str = "") -> Page[str]:
        """``NameUnknown`` only where no tag ever stood, as in distribution on a folder."""
        found: list[str] = []
        try:
            for tag in self._tags(paths.tags(name), last):
                if len(found) == limit:
                    return Page(found, found[-1] if found else last)
                found.append(tag)
        except PathNotFound:
            # Without real folders, nothing tells a repository that had a tag from one that had none.
            if self._driver.has_folders or not self._driver.exists(paths.manifests(name)):
                raise NameUnknown({"name": name}) from None
        return Page(found)

    def _tags(self, folder: str, last: str) -> Iterator[str]:
        """The tags among the folders. To look into each in an object store would cost a request each, or a
        walk of everything: there, a tag that a killed server made only a part of is listed."""
        if not self._driver.has_folders:
            return filter(tag_matcher(), self._driver.folders(folder, after=last))
        found = self._driver.folders_with(folder, paths.CURRENT, tag_matcher(), after=last)
        return (tag for tag, size in found if size >= LINK_MIN)

    def _links(self, links: Sequence[str]) -> Sequence[Digest | None]:
        workers = min(self._lookups, len(links))
        if workers < 2:
            return tuple(read_link(self._driver, link) for link in links)
        from udist_plugin.helpers import Helpers

        with Helpers(workers, "udist-tags") as pool:
            return tuple(pool.map(lambda link: read_link(self._driver, link), links))

    def names(self, name: str) -> tuple[str, ...]:
        """Whatever can be a tag, in order; none where there is no repository."""
        try:
            names = self._driver.list(paths.tags(name))
        except PathNotFound:
            return ()
        return tuple(sorted(filter(tag_matcher(), names)))
