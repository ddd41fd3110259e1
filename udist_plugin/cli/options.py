"""What commands take, checked where it is typed."""

from __future__ import annotations

import argparse
import shlex
from typing import TYPE_CHECKING, TypeVar

from udist_plugin.errors import DigestInvalid, NameInvalid, TagInvalid
from udist_plugin.oci.reference import Reference, check_name

if TYPE_CHECKING:
    from collections.abc import Callable

Value = TypeVar("Value")


def add_common_options(parser: argparse.ArgumentParser) -> None:
    """The options that every command has."""
    group = parser.add_argument_group("registry")
    add_config_option(group)
    group.add_argument(
        "--plugin",
        metavar="CMD",
        type=_command,
        help='spawn this instead, for instance "ssh host udist-plugin"',
    )
    parser.add_argument("--json", action="store_true", help="print JSON, errors too")
    parser.add_argument(
        "-v", "--verbose", action="store_true", help="show the plugin's log on standard error"
    )


def add_config_option(parser: argparse._ActionsContainer) -> None:
    parser.add_argument(
        "--config",
        metavar="FILE",
        help="the registry's configuration, distribution's YAML, under REGISTRY_* variables; "
        "without either the store is in the user's data folder",
    )


def add_reference(parser: argparse.ArgumentParser, name: str = "reference", text: str = "") -> None:
    """A manifest to look at: ``NAME[:TAG|@DIGEST]``, tag ``latest`` unless one is given."""
    parser.add_argument(
        name, type=reference, metavar="NAME[:TAG|@DIGEST]", help=text or "tag latest unless given"
    )


def reference(text: str) -> Reference:
    """``NAME[:TAG][@DIGEST]``."""
    return checked(Reference.parse, text)


def repository(text: str) -> str:
    """``NAME``."""
    return checked(check_name, text)


def annotation(text: str) -> tuple[str, str]:
    """``KEY=VALUE``."""
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY=VALUE")
    return key, value


def _command(text: str) -> list[str]:
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r}: {error}") from None
    if not words:
        raise argparse.ArgumentTypeError("names no command")
    return words


def checked(parse: Callable[[str], Value], text: str) -> Value:
    """A name, a tag or a digest as ``parse`` makes it, else argparse's error that says what that is."""
    try:
        return parse(text)
    except NameInvalid:
        problem = "not a repository name: lower-case letters and digits, parted by one of ._-/"
    except TagInvalid:
        problem = "not a tag: up to 128 letters, digits and ._- that begin with a letter, a digit or _"
    except DigestInvalid:
        problem = "not a digest: sha256: and 64 hexadecimal digits, or sha512: and 128"
    raise argparse.ArgumentTypeError(f"{text!r}: {problem}")
