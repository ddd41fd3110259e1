"""The repositories of an OCI layout: images by ``NAME:TAG``, or by their tags alone."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from udist_plugin.errors import ImageAmbiguous, ImageError, ImageUnknown, NameUnknown
from udist_plugin.images.files import Folder
from udist_plugin.images.layout.deletion import delete_image
from udist_plugin.images.layout.destination import LayoutDestination
from udist_plugin.images.layout.index import LayoutIndex
from udist_plugin.images.layout.location import Location
from udist_plugin.images.layout.place import Place
from udist_plugin.images.layout.source import LayoutSource, check_version, read_index, read_referrers
from udist_plugin.images.system import THIS_SYSTEM, SystemContext
from udist_plugin.images.transports.base import ImageReference, ImageTransport, Repositories

if TYPE_CHECKING:
    from udist_plugin.content import Content
    from udist_plugin.images.files import Files
    from udist_plugin.images.layout.source import Referrer
    from udist_plugin.oci.descriptor import Descriptor
    from udist_plugin.oci.digest import Digest


class LayoutRepositories(Repositories):
    """Those of the layout in ``files``, as they are now; ``files`` are closed with it."""

    nameless = True

    def __init__(self, transport: ImageTransport, files: Files) -> None:
        """Raises ``LayoutInvalid``."""
        self.transport = transport
        self._files = files
        check_version(files)
        found = read_index(files)
        self._exists = found is not None
        self._index = found or LayoutIndex()

    def list_repositories(self) -> list[str]:
        """Raises ``ImageUnknown`` where there is no layout."""
        if not self._exists:
            raise ImageUnknown("there is no OCI layout: no index.json", self._files.path)
        return sorted({place.repository for place in self._places})

    def list_tags(self, name: str) -> list[str]:
        targets = [place.target for place in self._places if place.repository == name]
        if not targets:
            raise NameUnknown({"name": name, "image": self._files.path})
        return sorted(target for target in targets if ":" not in target)

    def resolve(self, name: str, target: str) -> Digest | None:
        """Raises ``ImageAmbiguous`` where two images have one name."""
        found = self._places.get(Place(name, target)) or self._digests.get(target, [])
        if len(found) > 1:
            listed = ", ".join(f"@{digest}" for digest in found)
            raise ImageAmbiguous(f"two images have this name: {listed}", str(self.reference(name, target)))
        return next(iter(found), None)

    def reference(self, name: str, target: str) -> ImageReference:
        return _LayoutReference(self, Place(name, target))

    def open_source(self, place: Place) -> LayoutSource:
        """Raises ``ImageUnknown``."""
        digest = self.resolve(*place)
        if digest is None:
            raise ImageUnknown("there is no such image", f"{self._files.path}:{place}")
        return LayoutSource(_Kept(self._files), Location(self._files.path, digest=digest), place.repository)

    def open_destination(self, place: Place) -> LayoutDestination:
        self._check_folder()
        name = None if ":" in place.target else str(place)
        return LayoutDestination(Location(self._files.path, name))

    def list_referrers(self, name: str, digest: Digest) -> list[Descriptor]:
        return [
            each.descriptor
            for each in self._referrers.get(digest, [])
            if Place.of(each.entry).repository in ("", name)
        ]

    def delete_tag(self, name: str, tag: str) -> None:
        delete_image(self._check_folder(), Location(self._files.path, str(Place(name, tag))))

    def close(self) -> None:
        self._files.close()

    def describe(self, place: Place) -> str:
        return f"{self._files.path}:{place}"

    def _check_folder(self) -> Folder:
        if not isinstance(self._files, Folder):
            raise ImageError("an archive is written as a whole; make a new one", self._files.path)
        return self._files

    @cached_property
    def _places(self) -> dict[Place, list[Digest]]:
        found: dict[Place, list[Digest]] = {}
        for entry in self._index.entries:
            digests = found.setdefault(Place.of(entry), [])
            if entry.digest not in digests:
                digests.append(entry.digest)
        return found

    @cached_property
    def _digests(self) -> dict[str, list[Digest]]:
        return {str(entry.digest): [entry.digest] for entry in self._index.entries}

    @cached_property
    def _referrers(self) -> dict[Digest, list[Referrer]]:
        """One that is spoiled is an error when it is copied."""
        found: dict[Digest, list[Referrer]] = {}
        for each in read_referrers(self._files, self._index):
            found.setdefault(each.subject, []).append(each)
        return found


class _LayoutReference(ImageReference):
    def __init__(self, within: LayoutRepositories, place: Place) -> None:
        self.transport = within.transport
        self._within = within
        self._place = place

    @property
    def string_within_transport(self) -> str:
        return self._within.describe(self._place)

    def new_image_source(self, system: SystemContext = THIS_SYSTEM) -> LayoutSource:  # noqa: ARG002
        return self._within.open_source(self._place)

    def new_image_destination(self, system: SystemContext = THIS_SYSTEM) -> LayoutDestination:  # noqa: ARG002
        return self._within.open_destination(self._place)

    def delete_image(self, system: SystemContext = THIS_SYSTEM) -> None:  # noqa: ARG002
        self._within.delete_tag(*self._place)


class _Kept:
    """``files`` that several images are read from."""

    def __init__(self, files: Files) -> None:
        self.path = files.path
        self._files = files

    def open(self, name: str) -> Content:
        return self._files.open(name)

    def close(self) -> None:
        """They are closed when all images are done."""
