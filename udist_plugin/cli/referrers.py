"""``udist referrers``."""

from __future__ import annotations

from udist_plugin.cli.connecting import connected
from udist_plugin.cli.options import add_common_options, add_reference
from udist_plugin.cli.output import print_json, print_table, printable, size_text
from udist_plugin.oci.media_types import OCI_INDEX
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

_EPILOG = """\
Prints the digest, size and artifact type of each manifest whose subject is the
given one: signatures, software bills of materials and the like.

examples:
  udist referrers demo/readme:v1
  udist referrers demo/readme:v1 --artifact-type application/spdx+json
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    add_reference(parser)
    parser.add_argument("--artifact-type", metavar="TYPE", help="list only manifests of this artifact type")
    add_common_options(parser)


def run(arguments: argparse.Namespace) -> None:
    reference = arguments.reference
    with connected(arguments) as registry:
        digest = reference.digest or registry.resolve_manifest(reference.name, reference.target).digest
        found = registry.list_referrers(reference.name, digest, arguments.artifact_type).items
    if arguments.json:
        manifests = [item.to_json() for item in found]
        print_json({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests})
    elif found:
        print_table(
            [(item.digest, size_text(item.size), printable(item.artifact_type or "-")) for item in found]
        )
