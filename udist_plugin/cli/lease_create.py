"""``udist lease create``."""

from __future__ import annotations

from udist_plugin.cli.leasing import add_owner, add_references, shown
from udist_plugin.cli.options import add_config_option, add_json_option
from udist_plugin.cli.stores import opened
from udist_plugin.storage.leases import Leases
from udist_plugin.storage.registry import StorageRegistry
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse


_EPILOG = """\
If one of them does not exist, no lease is created.

examples:
  udist lease create backup-1 demo/app:v1
  udist lease create backup-1 demo/app@sha256:0123... demo/db:v3
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    add_owner(parser)
    add_references(parser, nargs="+", help="what the owner needs")
    add_config_option(parser)
    add_json_option(parser)


def run(arguments: argparse.Namespace) -> None:
    driver = opened(arguments, to_be="changed")
    made = Leases(driver).create(StorageRegistry(driver), arguments.owner, arguments.references)
    shown(made, arguments)
