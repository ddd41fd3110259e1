"""Where a command's images are: in the configured store by a plain name, or anywhere as
``TRANSPORT:REFERENCE``."""

from __future__ import annotations

import argparse
from contextlib import contextmanager

from udist_plugin.cli.connecting import connected
from udist_plugin.cli.error_codes import WrongCommandLine
from udist_plugin.cli.habits import address_in, is_reference
from udist_plugin.cli.options import add_common_options, reference
from udist_plugin.cli.places import Places, add_insecure_option, system_of
from udist_plugin.errors import ImageAmbiguous, ReferenceInvalid
from udist_plugin.images.transports import BUILT_IN, Transports
from udist_plugin.oci.digest import Digest
from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from udist_plugin.images.platforms import Platform
    from udist_plugin.images.system import SystemContext
    from udist_plugin.images.transports.base import ImageReference, ImageSource
    from udist_plugin.oci.manifest import Manifest

IMAGE: Final = "NAME[:TAG|@DIGEST]|TRANSPORT:REF"
PLACES: Final = """\
A plain name is in the configured store. docker://, oci:, oci-archive: and
docker-archive: stand before other places; "udist help images" lists them.
"""


def add_image(parser: argparse.ArgumentParser, name: str = "image") -> None:
    """An image, of the store or of another place."""
    parser.add_argument(
        name,
        metavar=IMAGE,
        help="an image in the store (default tag: latest), or in another place, such as "
        "docker://quay.io/podman/hello or oci:FOLDER",
    )


def add_place_options(parser: argparse.ArgumentParser) -> None:
    """The options of commands that work on any place."""
    add_insecure_option(parser)
    add_common_options(parser)


def add_platform_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--platform",
        type=platform,
        metavar="OS/ARCH[/VARIANT]",
        help="of an index, take the image for this platform",
    )


def platform(text: str) -> Platform:
    """``OS/ARCH[/VARIANT]``."""
    from udist_plugin.images.platforms import Platform

    try:
        return Platform.parse(text)
    except ReferenceInvalid as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def manifest_of(source: ImageSource, wanted: Platform | None, system: SystemContext) -> Manifest:
    """The image's manifest or index, or the image for a platform. Raises ``PlatformUnknown``."""
    from udist_plugin.oci.stored import read_stored

    if wanted is not None:
        from udist_plugin.images.copying.choice import Choice

        return Choice(source, system.warn).planned([wanted], sparse=False).root
    found = source.get_manifest()
    return read_stored(found.content, found.digest)


def one_image(source: ImageSource, wanted: Platform | None, system: SystemContext, text: str) -> Manifest:
    """The same for commands that need one image. Raises ``ImageAmbiguous`` for an index of several."""
    from udist_plugin.images.platforms import Platform, listed

    found = manifest_of(source, wanted, system)
    if found.is_index:
        stated = listed(Platform.of(each.other.get("platform")) for each in found.manifests)
        raise ImageAmbiguous(f"is an index; choose an image with --platform: {stated}", text)
    return found


@contextmanager
def opened_image(arguments: argparse.Namespace) -> Iterator[tuple[ImageSource, Manifest]]:
    """The image that a command is given, and its manifest or index, or the one for ``--platform``."""
    places = Anywhere(arguments)
    with places.image(arguments.image).new_image_source(places.system) as source:
        yield source, manifest_of(source, arguments.platform, places.system)


class Anywhere(Places):
    """The places that a command is given. ``system`` is what they are opened with."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        super().__init__(arguments.parser, lambda: connected(arguments))
        self.system = system_of(arguments)
        self._command: argparse.ArgumentParser = arguments.parser

    def image(self, text: str) -> ImageReference:
        """``TRANSPORT:REFERENCE``, or ``NAME[:TAG][@DIGEST]`` in the store. Raises ``WrongCommandLine``."""
        if _names_transport(text):
            return super().image(text)
        try:
            found = reference(text)
        except argparse.ArgumentTypeError as error:
            address = address_in(text)
            further = f", or 'docker://{address}' for that registry" if address else ""
            raise WrongCommandLine(self._command, f"{error}{further}") from None
        return super().image(f"udist:{found._replace(tag=None) if found.digest else found}")

    def repository(self, text: str) -> ImageReference:
        """A place for many images: without the tag, digest or name of one. Raises ``WrongCommandLine``."""
        found = self.image(text)
        place, image = divided(text)
        if image:
            what = "repository" if _is_registry(text) else "folder or file"
            raise WrongCommandLine(self._command, f"{text!r}: give the {what} alone: {place!r}")
        return found


def divided(text: str) -> tuple[str, str]:
    """A text without what names one image at a place; and that: a tag, a name, or a digest with its @."""
    start, marks = text.index(":") + 1 if _names_transport(text) else 0, ":"
    if _is_registry(text):
        start, marks = max(start, text.rfind("/") + 1), ":@"
    end = min((at for mark in marks if (at := text.find(mark, start)) >= 0), default=len(text))
    return text[:end], text[end:].removeprefix(":")


def digest_in(text: str) -> Digest | None:
    """The digest that a reference ends with, if it does."""
    image = divided(text)[1]
    return Digest(image[1:]) if image.startswith("@") and ":" in image else None


def _is_registry(text: str) -> bool:
    """Whether repositories are there, and no path."""
    name, _, rest = text.partition(":")
    return not _names_transport(text) or name == "udist" or rest.startswith("//")


def _names_transport(text: str) -> bool:
    """A repository may be called ``docker``, too, or like a transport of another package, which are found
    slowly."""
    name, colon, rest = text.partition(":")
    if not colon or "/" in name or (name == "docker" and not rest.startswith("//")):
        return False
    return name in BUILT_IN or (not is_reference(text) and name in Transports().names())
