"""An image written into an archive: an OCI layout, with Docker's ``manifest.json`` beside it if asked for, as
``docker save`` writes it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from udist_plugin.errors import Cancelled, ManifestInvalid
from udist_plugin.images.archive.writing import TarWriter
from udist_plugin.images.layout.destination import LAYOUT
from udist_plugin.images.layout.index import CONTAINERD_NAME, LayoutIndex
from udist_plugin.images.layout.place import Place
from udist_plugin.images.layout.source import blob_name
from udist_plugin.images.transports.base import ImageDestination
from udist_plugin.images.writing import write_verified

if TYPE_CHECKING:
    from collections.abc import Sequence

    from udist_plugin.content import Content
    from udist_plugin.images.references import Named
    from udist_plugin.oci.descriptor import Descriptor
    from udist_plugin.oci.digest import Digest
    from udist_plugin.oci.manifest import Manifest
    from udist_plugin.registry import ManifestContent


class ArchivedImage(ImageDestination):
    """An image whose blobs and manifests become files of ``tar``."""

    def __init__(self, tar: TarWriter) -> None:
        self._tar = tar
        self._cancelled = False

    def has_blob(self, descriptor: Descriptor) -> bool:
        return self._tar.has(blob_name(descriptor.digest))

    def put_blob(self, descriptor: Descriptor, content: Content) -> None:
        with self._tar.add(blob_name(descriptor.digest), content.size) as out:
            write_verified(content, descriptor, out, self._check)

    def put_manifest(self, manifest: Manifest) -> None:
        self._tar.add_bytes(blob_name(manifest.digest), manifest.content)

    def cancel(self) -> None:
        self._cancelled = True

    def _check(self) -> None:
        if self._cancelled:
            raise Cancelled("another blob failed, or the whole was interrupted")


class ArchiveDestination(ArchivedImage):
    """The archive at ``path``, with one image called ``name``."""

    keeps_referrers = True

    def __init__(self, path: str, name: str | None) -> None:
        super().__init__(TarWriter(path))
        self._name = name
        self._index = LayoutIndex()

    def commit(self, root: Manifest) -> None:
        self.put_manifest(root)
        self._index.put(root, self._name, self._annotations())
        finish_layout(self._tar, self._index)

    def put_referrers(self, subject: Digest, referrers: Sequence[Manifest]) -> None:  # noqa: ARG002
        for manifest in referrers:
            self._index.put(manifest, None)

    def get_tagged(self, tag: str) -> ManifestContent | None:  # noqa: ARG002
        """Nothing: the archive is new."""
        return None

    def put_tagged(self, manifest: Manifest, tag: str) -> None:
        self.put_manifest(manifest)
        self._index.put(manifest, str(Place.beside(self._name, tag)))

    def _annotations(self) -> dict[str, str]:
        """What else the image's entry says."""
        return {}

    def close(self) -> None:
        self._tar.close()


class DockerArchiveDestination(ArchiveDestination):
    """The same for ``docker load``; ``named`` is the image's name with its tag."""

    single = True
    keeps_referrers = False

    def __init__(self, path: str, named: Named | None) -> None:
        super().__init__(path, named.tag if named else None)
        self._named = named

    def commit(self, root: Manifest) -> None:
        if root.config is None:
            raise ManifestInvalid("a Docker archive takes one image, and no index")
        item = {
            "Config": blob_name(root.config.digest),
            "RepoTags": [self._named.familiar] if self._named else [],
            "Layers": [blob_name(layer.digest) for layer in root.layers],
        }
        self._tar.add_bytes("manifest.json", json.dumps([item], separators=(",", ":")).encode())
        super().commit(root)

    def _annotations(self) -> dict[str, str]:
        return {CONTAINERD_NAME: str(self._named)} if self._named else {}


def finish_layout(tar: TarWriter, index: LayoutIndex) -> None:
    """Makes an archive of blobs a layout, and puts it in its place."""
    tar.add_bytes("oci-layout", LAYOUT)
    tar.add_bytes("index.json", index.to_bytes())
    tar.finish()
