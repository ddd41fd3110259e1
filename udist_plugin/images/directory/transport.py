"""``dir:PATH``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from udist_plugin.errors import ReferenceInvalid
from udist_plugin.images.files import Folder
from udist_plugin.images.system import THIS_SYSTEM, SystemContext
from udist_plugin.images.transports.base import ImageReference, ImageTransport

if TYPE_CHECKING:
    from udist_plugin.images.directory.destination import DirectoryDestination
    from udist_plugin.images.directory.repositories import DirectoryRepositories
    from udist_plugin.images.directory.source import DirectorySource


class DirectoryTransport(ImageTransport):
    """Folders that hold one image each."""

    name = "dir"

    def parse_reference(self, text: str) -> DirectoryReference:
        if not text:
            raise ReferenceInvalid("the path is empty; expected PATH")
        return DirectoryReference(self, text)

    def open_repositories(self, text: str, system: SystemContext = THIS_SYSTEM) -> DirectoryRepositories:  # noqa: ARG002
        """All images in folders below the folder ``text``."""
        from udist_plugin.images.directory.repositories import DirectoryRepositories

        if not text:
            raise ReferenceInvalid("the path is empty; expected PATH")
        return DirectoryRepositories(self, text)


class DirectoryReference(ImageReference):
    """The image in the folder ``path``."""

    def __init__(self, transport: DirectoryTransport, path: str) -> None:
        self.transport = transport
        self.path = path

    @property
    def string_within_transport(self) -> str:
        return self.path

    def new_image_source(self, system: SystemContext = THIS_SYSTEM) -> DirectorySource:  # noqa: ARG002
        from udist_plugin.images.directory.source import DirectorySource

        return DirectorySource(Folder(self.path))

    def new_image_destination(self, system: SystemContext = THIS_SYSTEM) -> DirectoryDestination:  # noqa: ARG002
        from udist_plugin.images.directory.destination import DirectoryDestination

        return DirectoryDestination(Folder(self.path))
