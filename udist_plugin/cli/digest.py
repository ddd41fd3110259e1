"""``udist digest``."""

from __future__ import annotations

from udist_plugin.cli.anywhere import (
    PLACES,
    Anywhere,
    add_image,
    add_place_options,
    add_platform_option,
    manifest_of,
)
from udist_plugin.cli.output import print_json
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

_EPILOG = f"""\
A registry is asked for the digest alone, which Docker Hub does not count as a pull.

{PLACES}
examples:
  udist digest demo/readme:v1
  udist pull "demo/readme@$(udist digest demo/readme:v1)"
  udist digest docker://docker.io/library/alpine
  udist digest oci:layout:v1 --platform linux/arm64
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    add_image(parser)
    add_platform_option(parser)
    add_place_options(parser)


def run(arguments: argparse.Namespace) -> None:
    places = Anywhere(arguments)
    with places.image(arguments.image).new_image_source(places.system) as source:
        if arguments.platform:
            found = manifest_of(source, arguments.platform, places.system).descriptor
        else:
            found = source.resolve()
    if arguments.json:
        print_json({"reference": arguments.image, **found.to_json()})
    else:
        print(found.digest)
