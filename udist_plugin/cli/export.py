"""``udist export``."""

from __future__ import annotations

import sys
from contextlib import ExitStack

from udist_plugin.cli.anywhere import (
    PLACES,
    Anywhere,
    add_image,
    add_place_options,
    add_platform_option,
    one_image,
)
from udist_plugin.cli.error_codes import WrongCommandLine
from udist_plugin.cli.files import STANDARD, written
from udist_plugin.cli.output import print_json
from udist_plugin.cli.progress import progress_of
from udist_plugin.images.configuration import is_image
from udist_plugin.images.rootfs.export import export_image
from udist_plugin.images.rootfs.fetching import fetched
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from udist_plugin.images.transports.base import ImageSource

_EPILOG = f"""\
The files are those that the layers make up together: what upper layers delete or
replace is left out. Owners, modes, times, hard links and extended attributes are
kept. Nothing is written before all layers were read and verified, so they are read
twice; those of a registry on the network are kept in $TMPDIR meanwhile. A file
appears once it is whole.

{PLACES}
examples:
  udist export demo/app:v1 rootfs.tar
  udist export docker://docker.io/library/alpine --platform linux/arm64 | tar -t
  udist export oci:layout:v1 - | udist import - demo/flat:v1 --cmd /bin/sh
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    add_image(parser)
    parser.add_argument(
        "file",
        nargs="?",
        metavar="FILE",
        default=STANDARD,
        help="the tar to write; - is standard output, and the default",
    )
    add_platform_option(parser)
    add_place_options(parser)


def run(arguments: argparse.Namespace) -> None:
    if arguments.file == STANDARD and sys.stdout.isatty():
        raise WrongCommandLine(arguments.parser, "standard output is a terminal; give a FILE, or use a pipe")
    places = Anywhere(arguments)
    reference = places.image(arguments.image)
    with ExitStack() as stack:
        out = stack.enter_context(written(arguments.file, arguments))
        source: ImageSource = stack.enter_context(reference.new_image_source(places.system))
        image = one_image(source, arguments.platform, places.system, arguments.image)
        if reference.transport.name == "docker" and is_image(image):
            with progress_of("copy", quiet=arguments.quiet, noun="blob") as progress:
                source = stack.enter_context(fetched(source, image, progress))
        with progress_of("export", quiet=arguments.quiet, noun="layer") as progress:
            export_image(source, image, out, progress)
    if arguments.json:
        print_json({"path": arguments.file, "reference": arguments.image, "digest": image.digest})
