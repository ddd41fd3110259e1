"""``udist lease release``."""

from __future__ import annotations

from udist_plugin.cli.leasing import add_owner, shown
from udist_plugin.cli.options import add_config_option, add_json_option
from udist_plugin.cli.stores import opened
from udist_plugin.storage.leases import Leases
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse


_EPILOG = """\
examples:
  udist lease release backup-1
  udist lease release backup-1 demo/db:v3
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    add_owner(parser)
    parser.add_argument(
        "references", nargs="*", metavar="NAME:TAG|NAME@DIGEST", help="only these leases (default: all)"
    )
    add_config_option(parser)
    add_json_option(parser)


def run(arguments: argparse.Namespace) -> None:
    driver = opened(arguments, to_be="changed")
    shown(Leases(driver).release(arguments.owner, arguments.references), arguments)
