"""``udist manifest put``."""

from __future__ import annotations

from udist_plugin.cli.anywhere import PLACES, Anywhere, add_image, add_place_options, digest_in
from udist_plugin.cli.files import add_input, opened
from udist_plugin.cli.output import print_json
from udist_plugin.errors import ManifestBlobUnknown
from udist_plugin.images.transports.registries import RegistryDestination
from udist_plugin.oci.manifest import MANIFEST_MAX, Manifest
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from udist_plugin.images.transports.base import ImageDestination

_EPILOG = f"""\
Prints the digest. The bytes are stored as they are, and with NAME@DIGEST only if
they have that digest. Everything the manifest refers to must be there.

{PLACES}
examples:
  udist manifest put demo/app:v2 manifest.json
  udist manifest get demo/app:v1 | udist manifest put demo/app:stable -
  udist manifest put oci:layout:v2 manifest.json
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    add_image(parser)
    add_input(parser, "the manifest or index")
    parser.add_argument(
        "--media-type", metavar="TYPE", default="", help="its media type, if the document does not say it"
    )
    add_place_options(parser)


def run(arguments: argparse.Namespace) -> None:
    places = Anywhere(arguments)
    reference = places.image(arguments.image)
    with opened(arguments.file) as file:
        content = file.read(MANIFEST_MAX + 1)
    manifest = Manifest.parse(content, arguments.media_type, digest_in(arguments.image))
    with reference.new_image_destination(places.system) as destination:
        _check_complete(destination, manifest)
        destination.commit(manifest)
    if arguments.json:
        print_json(
            {
                "reference": arguments.image,
                "mediaType": manifest.media_type,
                "digest": manifest.digest,
                "size": len(content),
            }
        )
    else:
        print(manifest.digest)


def _check_complete(destination: ImageDestination, manifest: Manifest) -> None:
    """Raises ``ManifestBlobUnknown`` for what is missing. Registries look for themselves."""
    if isinstance(destination, RegistryDestination):
        return
    for descriptor in (*manifest.blobs, *manifest.manifests):
        if not destination.has_blob(descriptor):
            raise ManifestBlobUnknown({"digest": descriptor.digest})
