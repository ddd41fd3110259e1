"""The repositories of a tree of folders, one for each image, as ``skopeo sync --scoped`` writes them:
``NAME:TAG`` or ``NAME@DIGEST``."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from udist_plugin.errors import ImageUnknown, LayoutInvalid, NameUnknown
from udist_plugin.images.directory.source import MANIFEST, DirectorySource
from udist_plugin.images.files import Folder
from udist_plugin.images.layout.place import Place
from udist_plugin.images.transports.base import Repositories

if TYPE_CHECKING:
    from collections.abc import Iterator

    from udist_plugin.images.transports.base import ImageReference, ImageTransport
    from udist_plugin.oci.descriptor import Descriptor
    from udist_plugin.oci.digest import Digest


class DirectoryRepositories(Repositories):
    """Those below the folder ``root``, which is made when it is first written to."""

    def __init__(self, transport: ImageTransport, root: str) -> None:
        self._transport = transport
        self._root = root

    def list_repositories(self) -> list[str]:
        """Raises ``ImageUnknown`` where there is no such folder."""
        if not os.path.isdir(self._root):
            raise ImageUnknown("there is no such folder", self._root)
        return sorted({place.repository for place in self._places()})

    def list_tags(self, name: str) -> list[str]:
        targets = [place.target for place in self._places() if place.repository == name]
        if not targets:
            raise NameUnknown({"name": name, "folder": self._root})
        return sorted(target for target in targets if ":" not in target)

    def resolve(self, name: str, target: str) -> Digest | None:
        try:
            with DirectorySource(Folder(self._path(name, target))) as source:
                return source.get_manifest().digest
        except ImageUnknown:
            return None

    def reference(self, name: str, target: str) -> ImageReference:
        return self._transport.parse_reference(self._path(name, target))

    def list_referrers(self, name: str, digest: Digest) -> list[Descriptor]:  # noqa: ARG002
        """None are known: nothing lists them."""
        return []

    def delete_tag(self, name: str, tag: str) -> None:
        """Deletes the folder with the image."""
        shutil.rmtree(self._path(name, tag))

    def _path(self, name: str, target: str) -> str:
        return os.path.join(self._root, str(Place(name, target)))

    def _places(self) -> Iterator[Place]:
        """Raises ``LayoutInvalid`` for a folder with an image that has no such name."""
        for folder, below, files in os.walk(self._root):
            if MANIFEST in files:
                below.clear()
                path = os.path.relpath(folder, self._root).replace(os.sep, "/")
                place = Place.parse(path)
                if not place.repository:
                    raise LayoutInvalid(
                        f"the folder {path} is called neither NAME:TAG nor NAME@DIGEST", self._root
                    )
                yield place
