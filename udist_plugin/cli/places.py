"""Images by their transports, for commands that take any."""

from __future__ import annotations

from contextlib import contextmanager

from udist_plugin.cli.error_codes import WrongCommandLine
from udist_plugin.cli.output import note, printable
from udist_plugin.errors import ReferenceInvalid
from udist_plugin.images.system import SystemContext
from udist_plugin.images.transports import Transports, open_repositories, parse_image_name
from udist_plugin.images.transports.udist import UdistTransport
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from udist_plugin.images.transports.base import ImageReference, Repositories
    from udist_plugin.registry import Registry


def add_insecure_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--insecure",
        action="store_true",
        help="registries need no TLS, or no certificate that is trusted",
    )


@contextmanager
def references_of(parser: argparse.ArgumentParser) -> Iterator[None]:
    """What is no reference on the command line raises ``WrongCommandLine``."""
    try:
        yield
    except ReferenceInvalid as error:
        raise WrongCommandLine(parser, str(error)) from None


class Places:
    """Reads what images and repositories texts refer to; ``connect`` connects to the store of ``udist:``.

    ``parser`` is of the command.
    """

    def __init__(
        self, parser: argparse.ArgumentParser, connect: Callable[[], AbstractContextManager[Registry]]
    ) -> None:
        self._parser = parser
        self._transports = Transports()
        self._transports.register(UdistTransport(connect))

    def image(self, text: str) -> ImageReference:
        """Raises ``WrongCommandLine``."""
        with references_of(self._parser):
            return parse_image_name(text, self._transports)

    def repositories(self, text: str, system: SystemContext) -> Repositories:
        """The open place. Raises ``WrongCommandLine``, and what opening it raises."""
        with references_of(self._parser):
            return open_repositories(text, self._transports, system)


def system_of(arguments: argparse.Namespace) -> SystemContext:
    """This process's system. Warnings are printed, and details where they were asked for."""

    def say(message: str) -> None:
        note(printable(message))

    def say_nothing(_: str) -> None:
        pass

    return SystemContext(
        warn=say, tell=say if arguments.verbose else say_nothing, insecure=arguments.insecure
    )
