"""Of an image for several platforms, those that were asked for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from udist_plugin.errors import ImageAmbiguous, ManifestInvalid, PlatformUnknown
from udist_plugin.images import platforms
from udist_plugin.images.copying import plan
from udist_plugin.images.platforms import Platform
from udist_plugin.oci.manifest import MANIFEST_MAX, Manifest, load_document
from udist_plugin.oci.media_types import DOCKER_CONFIG, INDEXES, OCI_CONFIG

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from udist_plugin.images.transports.base import ImageSource
    from udist_plugin.oci.descriptor import Descriptor


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
        if not wanted:
            return plan.of_root(self._source, root)
        if not root.is_index:
            for platform in wanted:
                platforms.check(self._platform_of(root), platform, self._warn)
            return plan.of_root(self._source, root)
        entries = self._entries(root, 0)
        chosen = {
            entry.digest: entry for each in wanted if (entry := platforms.choose(entries, each, self._warn))
        }
        images = tuple(plan.manifest_at(self._source, entry) for entry in chosen.values())
        if sparse:
            return plan.Plan((*images, root))
        if len(images) == 1:
            return plan.Plan(images)
        if chosen.keys() == {entry.digest for entry in root.manifests}:
            return plan.of_root(self._source, root)
        return plan.Plan((*images, _pruned(root, list(chosen.values()))))

    def only(self, wanted: Sequence[Platform]) -> plan.Plan:
        """As ``planned``, for a destination that takes one image. Raises ``ImageAmbiguous`` where there are
        several."""
        if len(wanted) > 1:
            raise ImageAmbiguous("the destination takes one image; choose one platform")
        root = self.root
        if root.is_index and not wanted:
            entries = self._entries(root, 0)
            if len(entries) != 1:
                stated = platforms.listed(platform for platform, _ in entries)
                raise ImageAmbiguous(f"the destination takes one image; choose a platform: {stated}")
            return plan.Plan((plan.manifest_at(self._source, entries[0][1]),))
        return self.planned(wanted, sparse=False)

    def _entries(self, index: Manifest, depth: int) -> list[tuple[Platform | None, Descriptor]]:
        """The images that an index lists, also by way of other indexes; the platforms that those state hold
        for what states none."""
        if depth > plan.DEPTH_MAX:
            raise ManifestInvalid(f"indexes lie more than {plan.DEPTH_MAX} deep in one another")
        found: list[tuple[Platform | None, Descriptor]] = []
        for entry in index.manifests:
            platform = Platform.of(entry.other.get("platform"))
            inner = plan.manifest_at(self._source, entry) if entry.media_type in INDEXES else None
            if inner is None:
                found.append((platform, entry))
            else:
                found += [(own or platform, each) for own, each in self._entries(inner, depth + 1)]
        return found

    def _platform_of(self, image: Manifest) -> Platform | None:
        if image.config is None or image.config.media_type not in (OCI_CONFIG, DOCKER_CONFIG):
            return None
        if image.config.size > MANIFEST_MAX:
            raise PlatformUnknown(f"the image's configuration is larger than {MANIFEST_MAX} bytes")
        with self._source.open_blob(image.config) as content:
            return Platform.of(load_document(content.read(MANIFEST_MAX)))


def _pruned(index: Manifest, entries: list[Descriptor]) -> Manifest:
    """``index`` with ``entries`` alone."""
    document: dict[str, Any] = load_document(index.content)
    document["manifests"] = [entry.to_json() for entry in entries]
    content = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    return Manifest.parse(content, index.media_type)
