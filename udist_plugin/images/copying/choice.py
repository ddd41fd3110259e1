"""Of an image for several platforms, those that were asked for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from udist_plugin.errors import ImageAmbiguous, ImageError
from udist_plugin.images import platforms
from udist_plugin.images.configuration import image_config
from udist_plugin.images.copying import plan
from udist_plugin.images.platforms import Platform
from udist_plugin.oci.manifest import Manifest, load_document
from udist_plugin.oci.media_types import INDEXES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from udist_plugin.images.transports.base import ImageSource
    from udist_plugin.oci.descriptor import Descriptor
    from udist_plugin.oci.digest import Digest


class Choice:
    """Chooses from ``source``, whose own manifest or index is ``root``; ``warn`` gets what is unusual."""

    def __init__(self, source: ImageSource, warn: Callable[[str], None]) -> None:
        self._source = source
        self._warn = warn
        self.root = plan.root_of(source)

    def planned(self, wanted: Sequence[Platform], *, sparse: bool) -> plan.Plan:
        """What of the image is copied: all without ``wanted``, one image for one platform, else an index of
        them: a new one, or if ``sparse`` the whole one, which then lists images that are not copied.

        Raises ``PlatformUnknown``.
        """
        root = self.root
        if wanted and not root.is_index:
            for platform in wanted:
                platforms.check(self._platform_of(root), platform, self._warn)
        if not wanted or not root.is_index:
            return plan.of_root(self._source, root)
        entries = self._entries()
        chosen = {
            entry.digest: entry for each in wanted if (entry := platforms.choose(entries, each, self._warn))
        }
        images = tuple(plan.manifest_at(self._source, entry) for entry in chosen.values())
        listed = {entry.digest for entry in root.manifests}
        if sparse:
            if not chosen.keys() <= listed:
                raise ImageError(
                    "the image is in an index within the index, which cannot be sparse", root.digest
                )
            return plan.Plan((*images, root))
        if len(images) == 1:
            return plan.Plan(images)
        if chosen.keys() == listed:
            return plan.Plan((*images, root))
        return plan.Plan((*images, _pruned(root, list(chosen.values()))))

    def only(self, wanted: Sequence[Platform]) -> plan.Plan:
        """As ``planned``, for a destination that takes one image. Raises ``ImageAmbiguous`` where there are
        several."""
        if len(wanted) > 1:
            raise ImageAmbiguous("the destination takes one image; choose one platform")
        root = self.root
        if root.is_index and not wanted:
            entries = self._entries()
            if len(entries) != 1:
                stated = platforms.listed(platform for platform, _ in entries)
                raise ImageAmbiguous(f"the destination takes one image; choose a platform: {stated}")
            return plan.Plan((plan.manifest_at(self._source, entries[0][1]),))
        return self.planned(wanted, sparse=False)

    def _entries(self) -> list[tuple[Platform | None, Descriptor]]:
        """The images that the index lists, with their platforms, also by way of other indexes."""
        found: list[tuple[Platform | None, Descriptor]] = []
        self._collect(self.root, None, 0, found, set())
        return found

    def _collect(
        self,
        index: Manifest,
        stated: Platform | None,
        depth: int,
        found: list[tuple[Platform | None, Descriptor]],
        seen: set[Digest],
    ) -> None:
        """Adds what ``index`` lists to ``found``; the platform ``stated`` for it holds for what states none.
        An index that was ``seen`` is not looked into again."""
        plan.check_depth(depth)
        for entry in index.manifests:
            platform = Platform.of(entry.other.get("platform")) or stated
            if entry.media_type not in INDEXES:
                found.append((platform, entry))
            elif entry.digest not in seen:
                seen.add(entry.digest)
                self._collect(plan.manifest_at(self._source, entry), platform, depth + 1, found, seen)

    def _platform_of(self, image: Manifest) -> Platform | None:
        return Platform.of(image_config(self._source, image))


def _pruned(index: Manifest, entries: list[Descriptor]) -> Manifest:
    """``index`` with ``entries`` alone."""
    document: dict[str, Any] = load_document(index.content)
    document["manifests"] = [entry.to_json() for entry in entries]
    content = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    return Manifest.parse(content, index.media_type)
