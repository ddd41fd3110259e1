"""Which compression layers get."""

from __future__ import annotations

from udist_plugin.cli.error_codes import WrongCommandLine
from udist_plugin.errors import ImageError
from udist_plugin.images.compression import COMPRESSIONS, Compression
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse


def add_compression_options(parser: argparse.ArgumentParser) -> None:
    """With skopeo's names for them as well."""
    parser.add_argument(
        "--compression",
        "--dest-compress-format",
        choices=COMPRESSIONS,
        help="recompress layers that have another compression; digests change",
    )
    parser.add_argument(
        "--compression-level",
        "--dest-compress-level",
        type=int,
        metavar="N",
        help="gzip: 1 to 9 (default: 6); zstd: 1 to 22 (default: 3)",
    )


def compression_of(arguments: argparse.Namespace) -> Compression | None:
    """What is asked for. Raises ``WrongCommandLine``."""
    name, level = arguments.compression, arguments.compression_level
    if name is None:
        if level is not None:
            raise WrongCommandLine(arguments.parser, "--compression-level needs --compression")
        return None
    wanted = Compression(name, level)
    try:
        wanted.check()
    except ImageError as error:
        raise WrongCommandLine(arguments.parser, str(error)) from None
    return wanted
