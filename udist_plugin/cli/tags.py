"""``udist tags``."""

from __future__ import annotations

from udist_plugin.cli.connecting import connected
from udist_plugin.cli.options import add_common_options, repository
from udist_plugin.cli.output import print_json, print_lines
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

_EPILOG = """\
Prints one tag per line, in lexical order.

examples:
  udist tags demo/readme
  udist tags demo/readme --json
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    parser.add_argument("name", type=repository, metavar="NAME", help="the repository")
    add_common_options(parser)


def run(arguments: argparse.Namespace) -> None:
    with connected(arguments) as registry:
        tags = registry.list_tags(arguments.name).items
    if arguments.json:
        print_json({"name": arguments.name, "tags": tags})
    else:
        print_lines(tags)
