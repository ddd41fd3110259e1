"""An image of a layout, wherever its files are."""

from __future__ import annotations

from abc import abstractmethod
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from udist_plugin.images.system import THIS_SYSTEM, SystemContext
from udist_plugin.images.transports.base import ImageReference, ImageTransport

if TYPE_CHECKING:
    from collections.abc import Iterator

    from udist_plugin.content import Content
    from udist_plugin.images.files import Files
    from udist_plugin.images.layout.location import Location
    from udist_plugin.images.layout.source import LayoutSource
    from udist_plugin.oci.descriptor import Descriptor


class LocatedReference(ImageReference):
    """The image at ``location``."""

    def __init__(self, transport: ImageTransport, location: Location) -> None:
        self.transport = transport
        self.location = location

    @property
    def string_within_transport(self) -> str:
        return str(self.location)

    @abstractmethod
    def open_files(self) -> Files:
        """The layout's files."""

    def new_image_source(self, system: SystemContext = THIS_SYSTEM) -> LayoutSource:  # noqa: ARG002
        from udist_plugin.images.layout.source import LayoutSource

        files = self.open_files()
        try:
            return LayoutSource(files, self.location)
        except BaseException:
            files.close()
            raise

    @contextmanager
    def opened_blob(
        self,
        blob: Descriptor,
        system: SystemContext = THIS_SYSTEM,  # noqa: ARG002
    ) -> Iterator[Content]:
        from udist_plugin.images.layout.source import open_blob

        with closing(self.open_files()) as files, open_blob(files, blob.digest) as content:
            yield content

    def list_tags(self, system: SystemContext = THIS_SYSTEM) -> list[str]:  # noqa: ARG002
        from udist_plugin.images.layout.index import name_of
        from udist_plugin.images.layout.source import index_of

        with closing(self.open_files()) as files:
            return sorted({name for entry in index_of(files).entries if (name := name_of(entry))})
