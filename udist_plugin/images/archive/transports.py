"""``oci-archive:PATH[:NAME]`` and ``docker-archive:PATH[:NAME[:TAG]]``; the path ``-`` is a standard
stream."""

from __future__ import annotations

from typing import TYPE_CHECKING

from udist_plugin.errors import ImageError, ReferenceInvalid
from udist_plugin.images.layout.location import Location, check_whole
from udist_plugin.images.layout.reference import LocatedReference
from udist_plugin.images.references import Named
from udist_plugin.images.system import THIS_SYSTEM, SystemContext
from udist_plugin.images.transports.base import ImageReference, ImageTransport

if TYPE_CHECKING:
    from udist_plugin.images.archive.destination import ArchiveDestination, DockerArchiveDestination
    from udist_plugin.images.archive.docker import DockerArchiveSource
    from udist_plugin.images.archive.members import Archive
    from udist_plugin.images.layout.repositories import LayoutRepositories


class OCIArchiveTransport(ImageTransport):
    """Archives of OCI image layouts."""

    name = "oci-archive"

    def parse_reference(self, text: str) -> OCIArchiveReference:
        return OCIArchiveReference(self, Location.parse(text))

    def open_repositories(self, text: str, system: SystemContext = THIS_SYSTEM) -> LayoutRepositories:  # noqa: ARG002
        """All that is in the archive ``text``."""
        from udist_plugin.images.archive.members import Archive
        from udist_plugin.images.layout.repositories import LayoutRepositories

        archive = Archive(check_whole(text))
        try:
            return LayoutRepositories(self, archive)
        except BaseException:
            archive.close()
            raise


class OCIArchiveReference(LocatedReference):
    """An image of an archived layout."""

    def open_files(self) -> Archive:
        from udist_plugin.images.archive.members import Archive

        return Archive(self.location.path)

    def new_image_destination(self, system: SystemContext = THIS_SYSTEM) -> ArchiveDestination:  # noqa: ARG002
        from udist_plugin.images.archive.destination import ArchiveDestination
        from udist_plugin.images.layout.destination import check_written

        return ArchiveDestination(self.location.path, check_written(self.location).name)


class DockerArchiveTransport(ImageTransport):
    """Archives for ``docker load`` and from ``docker save``."""

    name = "docker-archive"

    def parse_reference(self, text: str) -> DockerArchiveReference:
        path, colon, image = text.partition(":")
        if not path:
            raise ReferenceInvalid("the path is empty; expected PATH[:NAME[:TAG]] or PATH:@POSITION", text)
        if image.startswith("@"):
            location = Location.parse(text)
            if location.position is None:
                raise ReferenceInvalid(
                    "an image in a Docker archive has a name or a position, no digest", text
                )
            return DockerArchiveReference(self, path, None, location.position)
        named = Named.parse_image(image) if colon else None
        if named and named.digest:
            raise ReferenceInvalid("an image in a Docker archive has a tag, no digest", text)
        return DockerArchiveReference(self, path, named, None)


class DockerArchiveReference(ImageReference):
    """An image of an archive, by its name, its position, or the only one."""

    def __init__(
        self, transport: DockerArchiveTransport, path: str, named: Named | None, position: int | None
    ) -> None:
        self.transport = transport
        self.path = path
        self.named = named
        self.position = position

    @property
    def string_within_transport(self) -> str:
        image = f"@{self.position}" if self.position is not None else str(self.named or "")
        return f"{self.path}:{image}" if image else self.path

    def new_image_source(self, system: SystemContext = THIS_SYSTEM) -> DockerArchiveSource:  # noqa: ARG002
        from udist_plugin.images.archive.docker import DockerArchiveSource
        from udist_plugin.images.archive.members import Archive

        archive = Archive(self.path)
        try:
            return DockerArchiveSource(archive, self.named, self.position)
        except BaseException:
            archive.close()
            raise

    def list_tags(self, system: SystemContext = THIS_SYSTEM) -> list[str]:  # noqa: ARG002
        from contextlib import closing

        from udist_plugin.images.archive.docker import items_of
        from udist_plugin.images.archive.members import Archive

        with closing(Archive(self.path)) as archive:
            return sorted({name for item in items_of(archive) for name in item.names})

    def new_image_destination(
        self,
        system: SystemContext = THIS_SYSTEM,  # noqa: ARG002
    ) -> DockerArchiveDestination:
        from udist_plugin.images.archive.destination import DockerArchiveDestination

        if self.position is not None:
            raise ImageError("an image is written by its name; positions are for reading", str(self))
        return DockerArchiveDestination(self.path, self.named)
