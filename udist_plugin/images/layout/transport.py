"""``oci:PATH[:NAME]``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from udist_plugin.images.layout.location import Location, check_whole
from udist_plugin.images.layout.reference import LocatedReference
from udist_plugin.images.system import THIS_SYSTEM, SystemContext
from udist_plugin.images.transports.base import ImageTransport

if TYPE_CHECKING:
    from udist_plugin.images.files import Folder
    from udist_plugin.images.layout.destination import LayoutDestination
    from udist_plugin.images.layout.repositories import LayoutRepositories


class LayoutTransport(ImageTransport):
    """Folders that are OCI image layouts."""

    name = "oci"

    def parse_reference(self, text: str) -> LayoutReference:
        return LayoutReference(self, Location.parse(text))

    def open_repositories(self, text: str, system: SystemContext = THIS_SYSTEM) -> LayoutRepositories:  # noqa: ARG002
        """All that is in the folder ``text``."""
        from udist_plugin.images.files import Folder
        from udist_plugin.images.layout.repositories import LayoutRepositories

        return LayoutRepositories(self, Folder(check_whole(text)))


class LayoutReference(LocatedReference):
    """An image of a layout."""

    def open_files(self) -> Folder:
        from udist_plugin.images.files import Folder

        return Folder(self.location.path)

    def new_image_destination(self, system: SystemContext = THIS_SYSTEM) -> LayoutDestination:  # noqa: ARG002
        from udist_plugin.images.layout.destination import LayoutDestination

        return LayoutDestination(self.location)

    def delete_image(self, system: SystemContext = THIS_SYSTEM) -> None:  # noqa: ARG002
        from udist_plugin.images.layout.deletion import delete_image

        delete_image(self.open_files(), self.location)
