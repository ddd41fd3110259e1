"""An image written into a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from udist_plugin.errors import LayoutInvalid
from udist_plugin.images.directory.source import MANIFEST, blob_name, instance_name
from udist_plugin.images.transports.folders import FolderDestination

if TYPE_CHECKING:
    from udist_plugin.content import Content
    from udist_plugin.images.files import Folder
    from udist_plugin.oci.descriptor import Descriptor
    from udist_plugin.oci.digest import Digest
    from udist_plugin.oci.manifest import Manifest

VERSION: Final = "version"
VERSION_TEXT: Final = b"Directory Transport Version: 1.1\n"


class DirectoryDestination(FolderDestination):
    """The only image of ``folder``; blobs of the one that was there stay. Raises ``LayoutInvalid`` for a
    folder that holds something else."""

    def __init__(self, folder: Folder) -> None:
        super().__init__(folder)
        names = folder.names()
        if names and VERSION not in names:
            raise LayoutInvalid(
                "is neither empty nor written by this transport; give another folder", folder.path
            )

    def _blob_name(self, digest: Digest) -> str:
        return blob_name(digest)

    def put_blob(self, descriptor: Descriptor, content: Content) -> None:
        self._mark()
        super().put_blob(descriptor, content)

    def put_manifest(self, manifest: Manifest) -> None:
        self._mark()
        self._write(instance_name(manifest.digest), manifest.content)

    def commit(self, root: Manifest) -> None:
        self._mark()
        self._write(MANIFEST, root.content)

    def _mark(self) -> None:
        """Says first whose folder it is: an interrupted copy can then be run again."""
        if self._folder.size(VERSION) is None:
            self._write(VERSION, VERSION_TEXT)
