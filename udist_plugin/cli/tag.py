"""``udist tag``."""

from __future__ import annotations

import argparse

from udist_plugin.cli.connecting import connected
from udist_plugin.cli.options import add_common_options, add_reference, checked
from udist_plugin.cli.output import print_json
from udist_plugin.oci.manifest import Manifest
from udist_plugin.oci.reference import check_tag

_EPILOG = """\
Prints the manifest's digest. A tag that exists is moved. No content is copied:
the new tags stand in the same repository.

examples:
  udist tag demo/readme:v1 stable latest
  udist tag demo/readme@sha256:0123... v1
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    add_reference(parser)
    parser.add_argument("tags", nargs="+", type=_tag, metavar="TAG", help="a tag to point to the manifest")
    add_common_options(parser)


def run(arguments: argparse.Namespace) -> None:
    reference = arguments.reference
    with connected(arguments) as registry:
        found = registry.get_manifest(reference.name, reference.target)
        stored = Manifest(found.content, found.media_type, found.digest)  # as it is, whatever it says
        tagged = registry.push_manifest(reference.name, stored, arguments.tags)
    if arguments.json:
        print_json({"reference": reference.name, "tags": arguments.tags, **tagged.to_json()})
    else:
        print(tagged.digest)


def _tag(text: str) -> str:
    if ":" in text or "/" in text:
        tag = text.rpartition(":")[2]
        raise argparse.ArgumentTypeError(f"{text!r}: give the new tag alone: {checked(check_tag, tag)!r}")
    return checked(check_tag, text)
