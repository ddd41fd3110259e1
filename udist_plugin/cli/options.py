"""Options and arguments that commands share, with their checks."""

from __future__ import annotations

import argparse

from udist_plugin.cli.habits import correction
from udist_plugin.errors import DigestInvalid, NameInvalid, ReferenceInvalid, TagInvalid
from udist_plugin.oci.reference import Reference, check_name
from udist_plugin.typed import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from udist_plugin.images.references import Named

Value = TypeVar("Value")


def add_common_options(parser: argparse.ArgumentParser) -> None:
    """The options of every command that spawns a plugin."""
    add_registry_options(parser)
    add_json_option(parser)
    parser.add_argument(
        "-v", "--verbose", action="store_true", help="show the plugin's log on standard error"
    )
    parser.add_argument(
        "-q", "--quiet", action="store_true", help="show no progress, only results, warnings and errors"
    )


def add_registry_options(parser: argparse.ArgumentParser) -> None:
    """The options that say which plugin to spawn."""
    group = parser.add_argument_group("registry")
    add_config_option(group)
    group.add_argument(
        "--plugin",
        metavar="CMD",
        type=command,
        help='start this command instead of the local plugin, e.g. "ssh host udist-plugin"',
    )


def add_concurrency_option(parser: argparse.ArgumentParser, what: str = "files") -> None:
    """``--concurrency``, of the commands that transfer files or blobs."""
    from udist_plugin.images.parallel import CONCURRENCY

    parser.add_argument(
        "--concurrency",
        type=_concurrency,
        default=CONCURRENCY,
        metavar="N",
        help=f"how many {what} to transfer at once (default: {CONCURRENCY})",
    )


def add_tag_options(parser: argparse.ArgumentParser) -> None:
    """``--tag`` and ``--exclude``: patterns of ``fnmatch``."""
    parser.add_argument(
        "--tag",
        action="append",
        default=[],
        dest="tags",
        metavar="PATTERN",
        help="only tags that match, such as 'v1.*'; repeat for several patterns",
    )
    parser.add_argument(
        "--exclude",
        action="append",
        default=[],
        metavar="PATTERN",
        help="no tags that match; can be repeated",
    )


def add_json_option(parser: argparse._ActionsContainer) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON, including errors")


def add_config_option(parser: argparse._ActionsContainer) -> None:
    parser.add_argument(
        "--config",
        metavar="FILE",
        type=file_path,
        help="the registry's configuration file, in distribution's YAML format; REGISTRY_* variables "
        "override it; without either, the store is a folder in your data directory",
    )


def add_reference(parser: argparse.ArgumentParser) -> None:
    """The manifest to work on: ``NAME[:TAG|@DIGEST]``, with ``latest`` as the default tag."""
    parser.add_argument(
        "reference",
        type=reference,
        metavar="NAME[:TAG|@DIGEST]",
        help="a repository with a tag (default: latest) or a digest",
    )


def _concurrency(text: str) -> int:
    import re

    from udist_plugin.images.parallel import CONCURRENCY_MAX

    if not re.fullmatch("[0-9]{1,3}", text, re.ASCII) or not 1 <= int(text) <= CONCURRENCY_MAX:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to {CONCURRENCY_MAX}")
    return int(text)


def file_path(text: str) -> str:
    """A file. An empty name is what a variable that is not set leaves, and does not mean the default."""
    if not text:
        raise argparse.ArgumentTypeError("expected a path, not nothing")
    return text


def reference(text: str) -> Reference:
    """``NAME[:TAG][@DIGEST]``."""
    return checked(Reference.parse, text)


def repository(text: str) -> str:
    """``NAME``."""
    name, mark, _ = text.partition("@" if "@" in text else ":")
    if mark and not correction(text):
        raise argparse.ArgumentTypeError(
            f"{text!r}: give the repository alone: {checked(check_name, name)!r}"
        )
    return checked(check_name, text)


def image_identity(text: str) -> Named:
    """``HOST[:PORT]/NAME[:TAG|@DIGEST]``, what an image is called elsewhere."""
    from udist_plugin.images.references import Named

    try:
        return Named.parse(text)
    except ReferenceInvalid as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def signed_identity(text: str) -> Named:
    """The same, for a signature. No default policy accepts one for a name alone, and containers/image makes
    none."""
    named = image_identity(text)
    if not named.tag and not named.digest:
        raise argparse.ArgumentTypeError(f"{text!r}: signatures are for a tag or digest; write {text}:TAG")
    return named


def annotation(text: str) -> tuple[str, str]:
    """``KEY=VALUE``."""
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY=VALUE")
    return key, value


def command(text: str) -> list[str]:
    """A command line, as a shell would split it."""
    import shlex

    try:
        words = shlex.split(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r}: {error}") from None
    if not words:
        raise argparse.ArgumentTypeError("the command is empty")
    return words


def checked(parse: Callable[[str], Value], text: str) -> Value:
    """The name, tag or digest that ``parse`` reads from ``text``, or argparse's error."""
    try:
        return parse(text)
    except NameInvalid:
        problem = "a repository name; use lower-case letters and digits, separated by one of . _ - /"
    except TagInvalid:
        problem = "a tag; use up to 128 letters, digits and . _ -, starting with a letter, a digit or _"
    except DigestInvalid:
        problem = "a digest; use sha256: with 64 hexadecimal digits, or sha512: with 128"
    if better := correction(text):
        raise argparse.ArgumentTypeError(f"{text!r}: {better}")
    raise argparse.ArgumentTypeError(f"{text!r} is not {problem}")
