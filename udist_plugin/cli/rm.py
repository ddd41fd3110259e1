"""``udist rm``."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from udist_plugin.cli.connecting import connected
from udist_plugin.cli.options import add_common_options, reference
from udist_plugin.cli.output import print_json

if TYPE_CHECKING:
    from udist_plugin.oci.reference import Reference

_EPILOG = """\
With a tag, only the tag goes: the manifest stays, under its digest and other tags. With a digest the manifest
goes and every tag that points at it. What nothing refers to any more still takes its room in the store.

examples:
  udist rm demo/readme:v1
  udist rm demo/readme@sha256:0123...
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    parser.add_argument("reference", type=_one, metavar="NAME:TAG|NAME@DIGEST", help="what to delete")
    add_common_options(parser)


def run(arguments: argparse.Namespace) -> None:
    target = arguments.reference
    with connected(arguments) as registry:
        if target.digest:
            registry.delete_manifest(target.name, target.digest)
        else:
            registry.delete_tag(target.name, target.tag)
    if arguments.json:
        print_json({"deleted": str(target)})
    else:
        print(target)


def _one(text: str) -> Reference:
    """Deleting never guesses: either a tag or a digest."""
    parsed = reference(text)
    if bool(parsed.tag) == bool(parsed.digest):
        raise argparse.ArgumentTypeError(f"{text!r}: say either a tag or a digest")
    return parsed
