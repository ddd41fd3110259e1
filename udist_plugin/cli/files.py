"""What commands write to a file or to standard output, and read from a file or from standard input."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager

from udist_plugin.cli.error_codes import WrongCommandLine
from udist_plugin.cli.output import print_json
from udist_plugin.cli.standard_input import spooled
from udist_plugin.images.placing import beside, create, is_device, named, refuse_existing
from udist_plugin.images.writing import write_verified
from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from io import FileIO
    from typing import BinaryIO

    from udist_plugin.content import Content
    from udist_plugin.oci.descriptor import Descriptor

STANDARD: Final = "-"
"""The path that stands for a standard stream."""


def add_output_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-o", "--output", metavar="FILE", default=STANDARD, help="write to this file, not to standard output"
    )


def add_input(parser: argparse.ArgumentParser, what: str) -> None:
    parser.add_argument("file", metavar="FILE", help=f"{what}; - is standard input")


def write_file(content: Content, descriptor: Descriptor, arguments: argparse.Namespace) -> None:
    """Writes ``content`` to where ``--output`` says. A file is there once it is whole and verified; then
    ``--json`` tells what it is.

    Raises ``DigestInvalid`` and ``SizeInvalid``, and ``WrongCommandLine`` for JSON among the content.
    """
    size = content.size
    with written(arguments.output, arguments) as out:
        write_verified(content, descriptor, out)
    if arguments.json:
        print_json({"path": arguments.output, **descriptor._replace(size=size).to_json()})


@contextmanager
def written(path: str, arguments: argparse.Namespace) -> Iterator[BinaryIO]:
    """The file at ``path``, which is there once the block has ended, or standard output.

    Raises ``WrongCommandLine`` for JSON among the content.
    """
    if path == STANDARD:
        if arguments.json:
            raise WrongCommandLine(arguments.parser, "--json needs a FILE: the content is on standard output")
        with named("standard output"):
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
        return
    refuse_existing(path, overwrite=True)
    if is_device(path):
        with named(path), open(path, "wb") as out:
            yield out
        return
    with beside(path) as temporary:
        with create(temporary) as out:
            yield out
        os.replace(temporary, path)


@contextmanager
def opened(path: str) -> Iterator[FileIO]:
    """The file at ``path``, or a temporary one with all of standard input."""
    if path == STANDARD:
        with spooled() as temporary, opened(temporary) as file:
            yield file
        return
    with open(path, "rb", buffering=0) as file, named(path):
        yield file
