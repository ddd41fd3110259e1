"""``udist lease list``."""

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
  udist lease list
  udist lease list backup-1 --json
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    add_owner(parser, nargs="?")
    add_config_option(parser)
    add_json_option(parser)


def run(arguments: argparse.Namespace) -> None:
    shown(Leases(opened(arguments)).list(arguments.owner or ""), arguments)
