"""``udist pull``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from udist_plugin.cli.bars import progress_bars
from udist_plugin.cli.connecting import connected
from udist_plugin.cli.options import add_common_options, add_reference
from udist_plugin.cli.output import note, print_json
from udist_plugin.images.pull import pull_artifact

if TYPE_CHECKING:
    import argparse

_EPILOG = """\
Prints the digest of the manifest.

A file appears only once it is complete and its digest is verified. Nothing is
written outside the output folder. Existing files are replaced; existing folders
keep their other files.

examples:
  udist pull demo/readme:v1
  udist pull demo/readme@sha256:0123... -o out
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    add_reference(parser)
    parser.add_argument(
        "-o", "--output", default=".", metavar="FOLDER", help="the folder to write to (default: .)"
    )
    parser.add_argument(
        "-k", "--keep-old-files", action="store_true", help="fail instead of replacing an existing file"
    )
    add_common_options(parser)


def run(arguments: argparse.Namespace) -> None:
    reference = arguments.reference
    with connected(arguments) as registry, progress_bars() as progress:
        pulled = pull_artifact(
            registry,
            reference.name,
            reference.target,
            arguments.output,
            overwrite=not arguments.keep_old_files,
            progress=progress,
        )
    if pulled.unnamed and not pulled.files:
        note("no layer has a file name, so nothing was written; is this a container image?")
    if arguments.json:
        files = [{"path": file.path, **file.descriptor.to_json()} for file in pulled.files]
        manifest = pulled.manifest
        print_json(
            {
                "reference": str(reference),
                "mediaType": manifest.media_type,
                "digest": manifest.digest,
                "size": len(manifest.content),
                "files": files,
            }
        )
    else:
        print(pulled.manifest.digest)
