"""An image read from a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from udist_plugin.errors import BlobUnknown, ImageUnknown
from udist_plugin.images.files import read_file
from udist_plugin.images.layout.source import read_manifest
from udist_plugin.images.transports.base import ImageSource
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.manifest import MANIFEST_MAX
from udist_plugin.oci.stored import read_stored
from udist_plugin.registry import ManifestContent

if TYPE_CHECKING:
    from udist_plugin.content import Content
    from udist_plugin.images.files import Folder
    from udist_plugin.oci.descriptor import Descriptor

MANIFEST = "manifest.json"


class DirectorySource(ImageSource):
    """The image in ``folder``. Raises ``ImageUnknown``."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        try:
            content = read_file(folder, MANIFEST, MANIFEST_MAX)
        except (FileNotFoundError, NotADirectoryError):
            raise ImageUnknown(f"there is no image: no {MANIFEST}", folder.path) from None
        self._root = _manifest(content, Digest.of(content))

    def get_manifest(self, digest: Digest | None = None) -> ManifestContent:
        if digest is None or digest == self._root.digest:
            return self._root
        return _manifest(read_manifest(self._folder, instance_name(digest), digest), digest)

    def open_blob(self, descriptor: Descriptor) -> Content:
        try:
            return self._folder.open(blob_name(descriptor.digest))
        except FileNotFoundError:
            raise BlobUnknown({"digest": descriptor.digest, "image": self._folder.path}) from None

    def close(self) -> None:
        """Nothing is held."""


def _manifest(content: bytes, digest: Digest) -> ManifestContent:
    return ManifestContent(content, read_stored(content, digest).media_type, digest)


def blob_name(digest: Digest) -> str:
    """The file of a blob: sha256 goes without saying."""
    return digest.hex if digest.algorithm == "sha256" else f"{digest.algorithm}-{digest.hex}"


def instance_name(digest: Digest) -> str:
    """The file of a manifest that the image's index lists."""
    return f"{blob_name(digest)}.{MANIFEST}"
