"""``oci:PATH[:NAME]``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from udist_plugin.images.layout.location import Location
from udist_plugin.images.system import THIS_SYSTEM, SystemContext
from udist_plugin.images.transports.base import ImageReference, ImageTransport

if TYPE_CHECKING:
    from udist_plugin.images.layout.destination import LayoutDestination
    from udist_plugin.images.layout.source import LayoutSource


class LayoutTransport(ImageTransport):
    """Folders that are OCI image layouts."""

    name = "oci"

    def parse_reference(self, text: str) -> LayoutReference:
        return LayoutReference(self, Location.parse(text))


class LayoutReference(ImageReference):
    """An image of a layout."""

    def __init__(self, transport: LayoutTransport, location: Location) -> None:
        self.transport = transport
        self.location = location

    @property
    def string_within_transport(self) -> str:
        return str(self.location)

    def new_image_source(self, system: SystemContext = THIS_SYSTEM) -> LayoutSource:  # noqa: ARG002
        from udist_plugin.images.files import Folder
        from udist_plugin.images.layout.source import LayoutSource

        return LayoutSource(Folder(self.location.path), self.location)

    def new_image_destination(self, system: SystemContext = THIS_SYSTEM) -> LayoutDestination:  # noqa: ARG002
        from udist_plugin.images.layout.destination import LayoutDestination

        return LayoutDestination(self.location)
