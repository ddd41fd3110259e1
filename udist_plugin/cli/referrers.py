"""``udist referrers``."""

from __future__ import annotations

from udist_plugin.cli.anywhere import (
    PLACES,
    Anywhere,
    add_image,
    add_place_options,
    add_platform_option,
    digest_in,
    manifest_of,
)
from udist_plugin.cli.output import print_json, print_table, printable, size_text
from udist_plugin.oci.media_types import OCI_INDEX
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

_EPILOG = f"""\
Prints the digest, size and artifact type of each manifest whose subject is the
given one: signatures, software bills of materials and the like. A registry that
cannot list them is asked for the index that clients keep at the tag sha256-...; in a
layout, they are among the images that it lists.

{PLACES}
examples:
  udist referrers demo/readme:v1
  udist referrers demo/readme:v1 --artifact-type application/spdx+json
  udist referrers docker://registry.example.com/demo/app:v1 --platform linux/arm64
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    add_image(parser)
    add_platform_option(parser)
    parser.add_argument("--artifact-type", metavar="TYPE", help="list only manifests of this artifact type")
    add_place_options(parser)


def run(arguments: argparse.Namespace) -> None:
    places, wanted = Anywhere(arguments), arguments.artifact_type
    with places.image(arguments.image).new_image_source(places.system) as source:
        if arguments.platform:
            digest = manifest_of(source, arguments.platform, places.system).digest
        else:
            digest = digest_in(arguments.image) or source.resolve().digest
        found = [each for each in source.list_referrers(digest) if wanted in (None, each.artifact_type)]
    if arguments.json:
        manifests = [item.to_json() for item in found]
        print_json({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests})
    elif found:
        print_table(
            [(item.digest, size_text(item.size), printable(item.artifact_type or "-")) for item in found]
        )
