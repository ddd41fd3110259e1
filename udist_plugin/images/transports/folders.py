"""A destination that is a folder with a file for each blob."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from udist_plugin.errors import Cancelled
from udist_plugin.images.transports.base import ImageDestination
from udist_plugin.images.writing import write_verified

if TYPE_CHECKING:
    from udist_plugin.content import Content
    from udist_plugin.images.files import Folder
    from udist_plugin.oci.descriptor import Descriptor
    from udist_plugin.oci.digest import Digest


class FolderDestination(ImageDestination):
    """``folder`` is made when it is first written to. No blob of it is ever deleted."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._cancelled = False

    @abstractmethod
    def _blob_name(self, digest: Digest) -> str:
        """The file of a blob."""

    def has_blob(self, descriptor: Descriptor) -> bool:
        size = self._folder.size(self._blob_name(descriptor.digest))
        return size is not None and descriptor.size in (0, size)

    def put_blob(self, descriptor: Descriptor, content: Content) -> None:
        with self._folder.new(self._blob_name(descriptor.digest)) as out:
            write_verified(content, descriptor, out, self._check)

    def cancel(self) -> None:
        self._cancelled = True

    def close(self) -> None:
        """Nothing is held."""

    def _check(self) -> None:
        if self._cancelled:
            raise Cancelled("another blob failed, or the whole was interrupted")

    def _write(self, name: str, content: bytes) -> None:
        with self._folder.new(name) as out:
            out.write(content)
