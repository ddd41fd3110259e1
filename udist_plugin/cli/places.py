"""Images by their transports, for commands that take any."""

from __future__ import annotations

from udist_plugin.cli.connecting import connected
from udist_plugin.cli.error_codes import WrongCommandLine
from udist_plugin.cli.output import note, printable
from udist_plugin.errors import ReferenceInvalid
from udist_plugin.images.system import SystemContext
from udist_plugin.images.transports import Transports, parse_image_name
from udist_plugin.images.transports.udist import UdistTransport
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from udist_plugin.images.transports.base import ImageReference


def add_insecure_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--insecure",
        action="store_true",
        help="registries need no TLS, or no certificate that is trusted",
    )


def images_of(arguments: argparse.Namespace, *texts: str) -> list[ImageReference]:
    """The images that ``texts`` refer to; those of ``udist:`` are in the store that ``arguments`` choose.

    Raises ``WrongCommandLine``.
    """
    transports = Transports()
    transports.register(UdistTransport(lambda: connected(arguments)))
    try:
        return [parse_image_name(text, transports) for text in texts]
    except ReferenceInvalid as error:
        raise WrongCommandLine(arguments.parser, str(error)) from None


def system_of(arguments: argparse.Namespace) -> SystemContext:
    """This process's system. Warnings are printed, and details where they were asked for."""

    def say(message: str) -> None:
        note(printable(message))

    def say_nothing(_: str) -> None:
        pass

    return SystemContext(
        warn=say, tell=say if arguments.verbose else say_nothing, insecure=arguments.insecure
    )
