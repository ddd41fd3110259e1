"""``udist blob get``."""

from __future__ import annotations

from udist_plugin.cli.anywhere import Anywhere, add_place_options, digest_in
from udist_plugin.cli.error_codes import WrongCommandLine
from udist_plugin.cli.files import add_output_option, write_file
from udist_plugin.oci.descriptor import Descriptor
from udist_plugin.oci.media_types import OCTET_STREAM
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

_EPILOG = """\
The digest is verified. On standard output that is at the end, so check the exit
code; a file appears only once it is whole and verified.

In a layout or its archive, a blob is oci:FOLDER:@DIGEST or oci-archive:FILE:@DIGEST.

examples:
  udist blob get demo/app@sha256:0123... | tar -tz
  udist blob get docker://quay.io/podman/hello@sha256:0123... -o layer.tar.gz
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    parser.add_argument(
        "blob", metavar="NAME@DIGEST|TRANSPORT:REF", help="a blob of a repository, a layout or an archive"
    )
    add_output_option(parser)
    add_place_options(parser)


def run(arguments: argparse.Namespace) -> None:
    places = Anywhere(arguments)
    reference = places.image(arguments.blob)
    digest = digest_in(arguments.blob)
    if digest is None:
        raise WrongCommandLine(arguments.parser, f"{arguments.blob!r}: a blob has a digest; give it after @")
    descriptor = Descriptor(OCTET_STREAM, digest, 0)
    with reference.opened_blob(descriptor, places.system) as content:
        write_file(content, descriptor, arguments)
