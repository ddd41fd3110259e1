"""``udist manifest``."""

from __future__ import annotations

from udist_plugin.cli import manifest_get, manifest_put
from udist_plugin.cli.subcommands import add_subcommands, run
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

__all__ = ["configure", "run"]

_EPILOG = """\
examples:
  udist manifest get demo/app:v1 | jq .layers
  udist manifest put demo/app:v2 manifest.json
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    add_subcommands(
        parser,
        ("get", manifest_get, "print a manifest's exact bytes"),
        ("put", manifest_put, "store a manifest from a file"),
    )
