"""``udist restore``."""

from __future__ import annotations

from functools import partial

from udist_plugin.cli.connecting import connected
from udist_plugin.cli.options import add_concurrency_option
from udist_plugin.cli.places import Places, system_of
from udist_plugin.cli.syncing import add_sync_options, carried_out, tell
from udist_plugin.images.backup.restore import restore_images
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

_EPILOG = """\
Copies the repositories of a backup to the configured store, as far as they are not
there. Every digest is verified. A tag that is there moves to the backup's image;
other tags stay. A restore that fails or is interrupted can be run again.

FILE is an archive from "udist backup" or "oras backup", plain or compressed, a
folder with the same files, or - for standard input. The latter does not say which
repository it is of: give its name.

examples:
  udist restore backup.tar
  udist restore backup.tar demo/app
  udist restore backup.tar demo/app=restored/app --tag 'v1.*'
  udist restore backup.tar --to docker://registry.example.com --dry-run
  udist restore oras.tar demo/app
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    parser.add_argument("file", metavar="FILE", help="the backup")
    parser.add_argument(
        "names",
        nargs="*",
        default=[],
        metavar="NAME[=NEW]",
        help="only this repository, and the name that it gets; can be repeated",
    )
    parser.add_argument(
        "--to", metavar="PLACE", default="udist:", help="where to copy them, instead of to the store"
    )
    parser.add_argument("--dry-run", action="store_true", help="show what would be done, and do nothing")
    add_concurrency_option(parser, "images")
    add_sync_options(parser)


def run(arguments: argparse.Namespace) -> None:
    places, system = Places(arguments.parser, lambda: connected(arguments)), system_of(arguments)
    with places.repositories(arguments.to, system) as destination:
        result = carried_out(
            partial(restore_images, arguments.file, destination),
            arguments,
            "copy",
            names=dict(map(_renamed, arguments.names)) or None,
            dry_run=arguments.dry_run,
            concurrency=arguments.concurrency,
            system=system,
        )
    tell(result, as_json=arguments.json, dry_run=arguments.dry_run)


def _renamed(text: str) -> tuple[str, str]:
    name, equals, new = text.partition("=")
    return name, new if equals else name
