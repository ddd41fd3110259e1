"""``udist import``."""

from __future__ import annotations

from udist_plugin.cli.anywhere import IMAGE, PLACES, Anywhere, add_place_options, platform
from udist_plugin.cli.compressing import add_compression_options, compression_of
from udist_plugin.cli.files import STANDARD, add_input, opened
from udist_plugin.cli.options import annotation, command
from udist_plugin.cli.output import print_json
from udist_plugin.cli.progress import progress_of
from udist_plugin.images.importing import import_image
from udist_plugin.images.platforms import Platform
from udist_plugin.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse

_EPILOG = f"""\
Makes an image with one layer, and prints its digest. The archive is a tar, also one
compressed with gzip, zstd, xz or bzip2, such as "udist export", "docker export" or
"tar -c" write. A gzip or zstd file becomes the layer as it is; otherwise the layer
is compressed with gzip, or as --compression says. The same archive and options make
the same image.

An archive that is cut short, has paths that leave it or is no tar is refused before
anything is written.

{PLACES}
examples:
  udist import rootfs.tar demo/base:v1 --cmd /bin/sh
  tar -C rootfs -c . | udist import - docker://registry.example.com/demo/base:v1
  udist import rootfs.tar.xz oci:layout:v1 --platform linux/arm64 --compression zstd
  udist import rootfs.tar demo/app --entrypoint "/bin/app --serve" --env PORT=80
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    add_input(parser, "the root file system")
    parser.add_argument("image", metavar=IMAGE, help="what the image is to be called")
    parser.add_argument(
        "--platform",
        type=platform,
        metavar="OS/ARCH[/VARIANT]",
        help="what the image is for (default: Linux on this machine)",
    )
    add_compression_options(parser)
    group = parser.add_argument_group("how the image runs")
    group.add_argument("--entrypoint", type=command, metavar="CMD", help="the command that is always run")
    group.add_argument("--cmd", type=command, metavar="CMD", help="the default command, or its arguments")
    group.add_argument(
        "--env",
        action="append",
        default=[],
        type=annotation,
        metavar="KEY=VALUE",
        help="a variable; can be repeated",
    )
    group.add_argument(
        "--label",
        action="append",
        default=[],
        type=annotation,
        metavar="KEY=VALUE",
        help="a label; can be repeated",
    )
    group.add_argument("--user", metavar="USER[:GROUP]", help="whom it runs as")
    group.add_argument("--workdir", metavar="PATH", help="the folder it runs in")
    add_place_options(parser)


def run(arguments: argparse.Namespace) -> None:
    compression = compression_of(arguments)
    places = Anywhere(arguments)
    destination = places.image(arguments.image)
    with (
        opened(arguments.file) as file,
        progress_of("import", quiet=arguments.quiet, noun="blob") as progress,
    ):
        made = import_image(
            file,
            destination,
            arguments.platform or Platform.of_machine(),
            config=_config(arguments),
            compression=compression,
            name="standard input" if arguments.file == STANDARD else arguments.file,
            progress=progress,
            system=places.system,
        )
    if arguments.json:
        print_json({"reference": arguments.image, **made.to_json()})
    else:
        print(made.digest)


def _config(arguments: argparse.Namespace) -> dict[str, Any]:
    """In image-spec's words, without what is not given."""
    found = {
        "User": arguments.user,
        "Env": [f"{key}={value}" for key, value in arguments.env],
        "Entrypoint": arguments.entrypoint,
        "Cmd": arguments.cmd,
        "WorkingDir": arguments.workdir,
        "Labels": dict(arguments.label),
    }
    return {name: value for name, value in found.items() if value}
