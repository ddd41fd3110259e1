"""``udist backup``."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial

from udist_plugin.cli.connecting import connected
from udist_plugin.cli.places import Places, system_of
from udist_plugin.cli.syncing import add_sync_options, carried_out, tell
from udist_plugin.images.archive.opening import STANDARD
from udist_plugin.images.backup.backup import backup_images
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

_EPILOG = """\
Writes repositories, with all tags and all that refers to their images, such as
signatures, to one archive. It is an OCI layout, which other programs read, and
"udist restore" brings it back. FILE is replaced once the archive is whole; - is
standard output.

A repository is NAME in the configured store, or TRANSPORT:PLACE as for "udist
sync"; "udist:" is the whole store.

examples:
  udist backup demo/app demo/web backup.tar
  udist backup udist: everything.tar
  udist backup docker://quay.io/podman/hello --tag latest hello.tar
  udist backup demo/app - | ssh host udist restore -
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    parser.add_argument(
        "repositories", nargs="+", metavar="REPOSITORY", help="what to back up: NAME or TRANSPORT:PLACE"
    )
    parser.add_argument("file", metavar="FILE", help="the archive to write")
    add_sync_options(parser)


def run(arguments: argparse.Namespace) -> None:
    places, system = Places(arguments.parser, lambda: connected(arguments)), system_of(arguments)
    with ExitStack() as stack:
        sources = [
            stack.enter_context(places.repositories(text if ":" in text else f"udist:{text}", system))
            for text in arguments.repositories
        ]
        act = partial(backup_images, sources, arguments.file)
        result = carried_out(act, arguments, "copy", system=system)
    tell(result, as_json=arguments.json, quiet_output=arguments.file == STANDARD)
