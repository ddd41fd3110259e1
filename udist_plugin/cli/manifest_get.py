"""``udist manifest get``."""

from __future__ import annotations

import io

from udist_plugin.cli.anywhere import (
    PLACES,
    add_image,
    add_place_options,
    add_platform_option,
    opened_image,
)
from udist_plugin.cli.files import add_output_option, write_file
from udist_plugin.content import FileContent
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

_EPILOG = f"""\
Nothing is added or changed, so the bytes have the manifest's digest, which is
verified.

{PLACES}
examples:
  udist manifest get demo/app:v1
  udist manifest get docker://docker.io/library/alpine --platform linux/arm64 -o alpine.json
  udist manifest get oci:layout:v1 | sha256sum
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    add_image(parser)
    add_platform_option(parser)
    add_output_option(parser)
    add_place_options(parser)


def run(arguments: argparse.Namespace) -> None:
    with opened_image(arguments) as (_, manifest):
        content = FileContent(io.BytesIO(manifest.content), len(manifest.content))
        write_file(content, manifest.descriptor, arguments)
