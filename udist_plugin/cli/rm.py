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
NAME:TAG deletes only the tag: the manifest keeps its digest and its other tags.
NAME@DIGEST deletes the manifest and every tag that points to it. The blobs stay
in the store.

examples:
  udist rm demo/readme:v1
  udist rm demo/readme@sha256:0123...
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    parser.add_argument(
        "reference", type=_one, metavar="NAME:TAG|NAME@DIGEST", help="the tag or the manifest to delete"
    )
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
    """A reference with either a tag or a digest: deleting must not assume ``latest``."""
    parsed = reference(text)
    if bool(parsed.tag) == bool(parsed.digest):
        raise argparse.ArgumentTypeError(f"{text!r}: give either a tag or a digest")
    return parsed
