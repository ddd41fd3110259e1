"""``udist tags``."""

from __future__ import annotations

from udist_plugin.cli.anywhere import PLACES, Anywhere, add_place_options
from udist_plugin.cli.output import print_json, print_lines
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

_EPILOG = f"""\
Prints one tag per line, in lexical order; of a layout or an archive, the names of
its images.

{PLACES}
examples:
  udist tags demo/readme
  udist tags demo/readme --json
  udist tags docker://quay.io/podman/hello
  udist tags docker-archive:saved.tar
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    parser.add_argument(
        "name", metavar="NAME|TRANSPORT:PLACE", help="the repository, or a layout or archive of images"
    )
    add_place_options(parser)


def run(arguments: argparse.Namespace) -> None:
    places = Anywhere(arguments)
    tags = places.repository(arguments.name).list_tags(places.system)
    if arguments.json:
        print_json({"name": arguments.name, "tags": tags})
    else:
        print_lines(tags)
