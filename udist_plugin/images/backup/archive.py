"""The archive of a backup, while it is written: an OCI layout with the images of many repositories."""

from __future__ import annotations

from typing import TYPE_CHECKING

from udist_plugin.errors import ImageError, NameUnknown
from udist_plugin.images.archive.destination import ArchivedImage, finish_layout
from udist_plugin.images.archive.transports import OCIArchiveTransport
from udist_plugin.images.archive.writing import TarWriter
from udist_plugin.images.layout.index import CONTAINERD_NAME, REF_NAME, LayoutIndex
from udist_plugin.images.layout.place import Place
from udist_plugin.images.system import THIS_SYSTEM, SystemContext
from udist_plugin.images.transports.base import ImageReference, ImageSource, Repositories

if TYPE_CHECKING:
    from udist_plugin.oci.descriptor import Descriptor
    from udist_plugin.oci.digest import Digest
    from udist_plugin.oci.manifest import Manifest


class BackupArchive(Repositories):
    """The archive at ``path``, which is there once it is finished. One thread at a time.

    Each image is called by its tag, as other programs expect it of a layout with one repository, or if there
    are ``several``, by repository and tag. containerd's annotation always has the whole name.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.transport = OCIArchiveTransport()
        self.tar = TarWriter(path)
        self.several = False
        self._index = LayoutIndex()
        self._images: dict[str, set[Digest]] = {}

    def add(self, place: Place, root: Manifest) -> None:
        """An image whose blobs and manifests are in the archive."""
        notes = {CONTAINERD_NAME: str(place)}
        if ":" not in place.target:
            notes[REF_NAME] = str(place) if self.several else place.target
        self._index.append(root, notes)
        self._images.setdefault(place.repository, set()).add(root.digest)

    def finish(self) -> None:
        """Writes the index, and puts the archive in its place."""
        finish_layout(self.tar, self._index)

    def list_repositories(self) -> list[str]:
        return sorted(self._images)

    def list_tags(self, name: str) -> list[str]:
        raise NameUnknown({"name": name})

    def resolve(self, name: str, target: str) -> Digest | None:
        return next((digest for digest in self._images.get(name, ()) if digest == target), None)

    def reference(self, name: str, target: str) -> ImageReference:
        return _BackupReference(self, Place(name, target))

    def list_referrers(self, name: str, digest: Digest) -> list[Descriptor]:  # noqa: ARG002
        return []

    def delete_tag(self, name: str, tag: str) -> None:  # noqa: ARG002
        raise ImageError("an archive is written as a whole; make a new one", self.path)

    def close(self) -> None:
        """Drops the archive, unless it is finished."""
        self.tar.close()


class _BackupReference(ImageReference):
    def __init__(self, within: BackupArchive, place: Place) -> None:
        self.transport = within.transport
        self._within = within
        self._place = place

    @property
    def string_within_transport(self) -> str:
        return f"{self._within.path}:{self._place}"

    def new_image_source(self, system: SystemContext = THIS_SYSTEM) -> ImageSource:  # noqa: ARG002
        raise ImageError("it is being written", str(self))

    def new_image_destination(self, system: SystemContext = THIS_SYSTEM) -> ArchivedImage:  # noqa: ARG002
        return _BackupDestination(self._within, self._place)


class _BackupDestination(ArchivedImage):
    """One image of a backup."""

    def __init__(self, within: BackupArchive, place: Place) -> None:
        super().__init__(within.tar)
        self._within = within
        self._place = place

    def commit(self, root: Manifest) -> None:
        self.put_manifest(root)
        self._within.add(self._place, root)

    def close(self) -> None:
        """The archive goes on."""
