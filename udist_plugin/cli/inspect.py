"""``udist inspect``."""

from __future__ import annotations

import json
import sys

from udist_plugin.cli.anywhere import (
    PLACES,
    add_image,
    add_place_options,
    add_platform_option,
    opened_image,
)
from udist_plugin.cli.output import platform_text, print_json, print_table, printable, size_text
from udist_plugin.images.artifact import TITLE
from udist_plugin.images.configuration import image_config, read_config
from udist_plugin.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from udist_plugin.oci.descriptor import Descriptor
    from udist_plugin.oci.manifest import Manifest

_EPILOG = f"""\
Shows the digest, the media types, the layers and the annotations; of an image also
what its configuration says, such as the platform, the command, the environment and
the labels. For an image index, shows the manifests it lists; --platform shows the
one of them for a platform.

{PLACES}
examples:
  udist inspect demo/readme:v1
  udist inspect --raw demo/readme:v1 | sha256sum
  udist inspect docker://docker.io/library/alpine --platform linux/arm64
  udist inspect --image-config oci:layout:v1
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    add_image(parser)
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--raw", action="store_true", help="print the manifest's exact bytes")
    choice.add_argument(
        "--image-config", action="store_true", help="print the exact bytes of the image's configuration"
    )
    add_platform_option(parser)
    add_place_options(parser)


def run(arguments: argparse.Namespace) -> None:
    with opened_image(arguments) as (source, manifest):
        if arguments.image_config:
            shown = read_config(source, manifest)
        elif arguments.raw:
            shown = manifest.content
        else:
            shown, config = None, image_config(source, manifest)
    if shown is not None:
        sys.stdout.buffer.write(shown)
    elif arguments.json:
        print_json(
            {
                "reference": arguments.image,
                "mediaType": manifest.media_type,
                "digest": manifest.digest,
                "size": len(manifest.content),
                "manifest": json.loads(manifest.content.decode(errors="replace")),
                **({} if config is None else {"config": config}),
            }
        )
    else:
        _print_summary(arguments.image, manifest, config or {})


def _print_summary(reference: str, manifest: Manifest, config: dict[str, Any]) -> None:
    rows = [
        ("Reference:", reference),
        ("Digest:", str(manifest.digest)),
        ("Media type:", manifest.media_type),
        ("Artifact type:", None if config else manifest.referrer_type),
        ("Subject:", str(manifest.subject.digest) if manifest.subject else None),
        *_config_rows(config),
    ]
    print_table([(name, printable(value)) for name, value in rows if value])
    for heading, items in (("Layers", manifest.layers), ("Manifests", manifest.manifests)):
        if items:
            print(f"{heading}:")
            print_table([_row(item) for item in items], "  ")
    settings = config.get("config")
    labels = settings.get("Labels") if isinstance(settings, dict) else None
    for heading, pairs in (("Labels", labels), ("Annotations", manifest.annotations)):
        if pairs and isinstance(pairs, dict):
            print(f"{heading}:")
            print_table([(printable(key), printable(str(text))) for key, text in pairs.items()], "  ")


def _config_rows(config: dict[str, Any]) -> Iterator[tuple[str, str | None]]:
    """What is said of how the image runs. Nothing of it is sure to have the type that it should."""
    yield "Platform:", platform_text(config)
    yield "Created:", _words(config.get("created"))
    settings = config.get("config")
    if not isinstance(settings, dict):
        return
    for heading, key in (
        ("User:", "User"),
        ("Entrypoint:", "Entrypoint"),
        ("Command:", "Cmd"),
        ("Folder:", "WorkingDir"),
        ("Ports:", "ExposedPorts"),
        ("Volumes:", "Volumes"),
        ("Stop signal:", "StopSignal"),
    ):
        yield heading, _words(settings.get(key))
    environment = settings.get("Env")
    for variable in environment if isinstance(environment, list) else ():
        yield "Environment:", str(variable)


def _words(value: object) -> str:
    """A text, or the words of a list as a shell would quote them."""
    from shlex import join

    if isinstance(value, list | dict):
        return join(map(str, value))
    return str(value or "")


def _row(item: Descriptor) -> tuple[str, str, str, str]:
    name = item.annotations.get(TITLE) or platform_text(item.other.get("platform")) or "-"
    return printable(name), size_text(item.size), printable(item.media_type), str(item.digest)
