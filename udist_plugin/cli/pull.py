"""``udist pull``."""

from __future__ import annotations

import sys

from udist_plugin.cli.connecting import connected
from udist_plugin.cli.error_codes import WrongCommandLine
from udist_plugin.cli.options import add_common_options, add_concurrency_option, add_reference
from udist_plugin.cli.output import note, print_json
from udist_plugin.cli.progress import progress_of
from udist_plugin.images.placing import named
from udist_plugin.images.pull import pull_artifact, pull_content
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

_EPILOG = """\
Prints the digest of the manifest.

A file appears only once it is complete and its digest is verified. Nothing is
written outside the output folder. Existing files are replaced; existing folders
keep their other files.

With "-o -", the content of the artifact's only file goes to standard output
instead. Its digest is verified at the end, so check the exit code.

examples:
  udist pull demo/readme:v1
  udist pull demo/readme@sha256:0123... -o out
  udist pull backups/shop:monday -o - | psql shop
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    parser.set_defaults(parser=parser)
    add_reference(parser)
    parser.add_argument(
        "-o",
        "--output",
        default=".",
        metavar="FOLDER",
        help="the folder to write to (default: .), or - for standard output",
    )
    parser.add_argument(
        "-k", "--keep-old-files", action="store_true", help="fail instead of replacing an existing file"
    )
    add_concurrency_option(parser)
    add_common_options(parser)


def run(arguments: argparse.Namespace) -> None:
    if arguments.output == "-":
        _print_file(arguments)
    else:
        _write_files(arguments)


def _print_file(arguments: argparse.Namespace) -> None:
    reference = arguments.reference
    if arguments.json:
        raise WrongCommandLine(arguments.parser, "--json does not go with -o -, which prints the file")
    with connected(arguments) as registry, named("standard output"):
        pull_content(registry, reference.name, reference.target, sys.stdout.buffer)
        sys.stdout.buffer.flush()


def _write_files(arguments: argparse.Namespace) -> None:
    reference = arguments.reference
    with connected(arguments) as registry, progress_of("pull", quiet=arguments.quiet) as progress:
        pulled = pull_artifact(
            registry,
            reference.name,
            reference.target,
            arguments.output,
            overwrite=not arguments.keep_old_files,
            progress=progress,
            concurrency=arguments.concurrency,
        )
    if pulled.unnamed:
        layers = len(pulled.files) + len(pulled.unnamed)
        note(f"left out {len(pulled.unnamed)} of {layers} layers: no file name")
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
