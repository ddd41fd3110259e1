"""``udist blob``."""

from __future__ import annotations

from udist_plugin.cli import blob_get, blob_put
from udist_plugin.cli.subcommands import add_subcommands, run
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

__all__ = ["configure", "run"]

_EPILOG = """\
examples:
  udist blob get demo/app@sha256:0123... | tar -tz
  udist blob put demo/app layer.tar.gz
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    add_subcommands(
        parser,
        ("get", blob_get, "print a blob or write it to a file"),
        ("put", blob_put, "store a file as a blob"),
    )
