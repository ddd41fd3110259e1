"""``udist blob put``."""

from __future__ import annotations

from hashlib import file_digest

from udist_plugin.cli.anywhere import Anywhere, add_place_options, digest_in, divided
from udist_plugin.cli.error_codes import WrongCommandLine
from udist_plugin.cli.files import add_input, opened
from udist_plugin.cli.output import print_json
from udist_plugin.content import FileContent
from udist_plugin.errors import DigestInvalid
from udist_plugin.images.layout.transport import LayoutReference
from udist_plugin.images.transports.registries import RegistryReference
from udist_plugin.oci.descriptor import Descriptor
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.media_types import OCTET_STREAM
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from io import FileIO

_EPILOG = """\
Prints the digest. With NAME@DIGEST, the file must have that digest. A blob that is
there is not stored again. Registries delete blobs that no manifest refers to, at
some time.

examples:
  udist blob put demo/app layer.tar.gz
  tar -c folder | udist blob put docker://registry.example.com/demo/app -
  udist blob put oci:layout config.json
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    parser.add_argument(
        "place",
        metavar="NAME[@DIGEST]|TRANSPORT:REF",
        help="a repository of the store or elsewhere, or a layout",
    )
    add_input(parser, "the content")
    add_place_options(parser)


def run(arguments: argparse.Namespace) -> None:
    places = Anywhere(arguments)
    reference = places.image(arguments.place)
    wanted = digest_in(arguments.place)
    place, image = divided(arguments.place)
    if image and wanted is None:
        raise WrongCommandLine(
            arguments.parser, f"{arguments.place!r}: give {place!r} alone, or a digest after @"
        )
    if not isinstance(reference, RegistryReference | LayoutReference):
        raise WrongCommandLine(
            arguments.parser, f"{arguments.place!r}: blobs are put into registries and layouts"
        )
    with opened(arguments.file) as file:
        found = _descriptor_of(file, wanted.algorithm if wanted else "sha256")
        if wanted and found.digest != wanted:
            raise DigestInvalid({"expected": wanted, "actual": found.digest})
        with reference.new_image_destination(places.system) as destination:
            if not destination.has_blob(found):
                destination.put_blob(found, FileContent(file, found.size))
    if arguments.json:
        print_json(found.to_json())
    else:
        print(found.digest)


def _descriptor_of(file: FileIO, algorithm: str) -> Descriptor:
    """Reads ``file``, and leaves it at its start."""
    digest = Digest.from_hash(file_digest(file, algorithm))
    size = file.tell()
    file.seek(0)
    return Descriptor(OCTET_STREAM, digest, size)
