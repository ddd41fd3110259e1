"""``udist ls``."""

from __future__ import annotations

from udist_plugin.cli.connecting import connected
from udist_plugin.cli.options import add_common_options
from udist_plugin.cli.output import print_json, print_lines
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

_EPILOG = """\
Prints one name per line, in lexical order.

examples:
  udist ls
  udist ls --plugin "ssh backup.example.com udist-plugin"
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    add_common_options(parser)


def run(arguments: argparse.Namespace) -> None:
    with connected(arguments) as registry:
        names = registry.list_repositories().items
    if arguments.json:
        print_json({"repositories": names})
    else:
        print_lines(names)
