"""``udist inspect``."""

from __future__ import annotations

import json
import sys

from udist_plugin.cli.connecting import connected
from udist_plugin.cli.options import add_common_options, checked
from udist_plugin.cli.output import print_json, print_table, printable, size_text
from udist_plugin.cli.places import Places, add_insecure_option, system_of
from udist_plugin.errors import RegistryError
from udist_plugin.images.artifact import TITLE
from udist_plugin.images.transports import Transports
from udist_plugin.oci.reference import Reference
from udist_plugin.oci.stored import read_stored
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from udist_plugin.oci.descriptor import Descriptor
    from udist_plugin.registry import ManifestContent

_EPILOG = """\
Shows the digest, the media types, the layers and the annotations. For an image
index, shows the manifests it lists. For images elsewhere, see "udist help images";
oci:layout is the tag "layout" of the repository "oci", and oci:./layout a folder.

examples:
  udist inspect demo/readme:v1
  udist inspect --raw demo/readme:v1 | sha256sum
  udist inspect docker://quay.io/podman/hello
  udist inspect oci:./layout
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    parser.add_argument(
        "reference",
        type=_place,
        metavar="NAME[:TAG|@DIGEST]|TRANSPORT:REFERENCE",
        help="a repository with a tag (default: latest) or a digest, or an image elsewhere",
    )
    add_insecure_option(parser)
    parser.add_argument("--raw", action="store_true", help="print the manifest's exact bytes")
    add_common_options(parser)


def run(arguments: argparse.Namespace) -> None:
    reference = arguments.reference
    if isinstance(reference, Reference):
        with connected(arguments) as registry:
            found = registry.get_manifest(reference.name, reference.target)
    else:
        image = Places(arguments.parser, lambda: connected(arguments)).image(reference)
        with image.new_image_source(system_of(arguments)) as source:
            found = source.get_manifest()
    if arguments.raw:
        sys.stdout.buffer.write(found.content)
    elif arguments.json:
        print_json(
            {
                "reference": str(reference),
                "mediaType": found.media_type,
                "digest": found.digest,
                "size": len(found.content),
                "manifest": json.loads(found.content.decode(errors="replace")),
            }
        )
    else:
        _print_summary(str(reference), found)


def _place(text: str) -> Reference | str:
    """An image in the store, or what can only be one elsewhere."""
    transport, colon, _ = text.partition(":")
    try:
        return Reference.parse(text)
    except RegistryError:
        return text if colon and transport in Transports().names() else checked(Reference.parse, text)


def _print_summary(reference: str, found: ManifestContent) -> None:
    manifest = read_stored(found.content, found.digest)
    rows = [
        ("Reference:", reference),
        ("Digest:", str(found.digest)),
        ("Media type:", manifest.media_type),
        ("Artifact type:", manifest.referrer_type),
        ("Subject:", str(manifest.subject.digest) if manifest.subject else None),
    ]
    print_table([(name, printable(value)) for name, value in rows if value])
    for heading, items in (("Layers", manifest.layers), ("Manifests", manifest.manifests)):
        if items:
            print(f"{heading}:")
            print_table([_row(item) for item in items], "  ")
    if manifest.annotations:
        print("Annotations:")
        print_table([(printable(key), printable(text)) for key, text in manifest.annotations.items()], "  ")


def _row(item: Descriptor) -> tuple[str, str, str, str]:
    name = item.annotations.get(TITLE) or _platform(item)
    return printable(name), size_text(item.size), printable(item.media_type), str(item.digest)


def _platform(item: Descriptor) -> str:
    platform = item.other.get("platform")
    if not isinstance(platform, dict):
        return "-"
    return "/".join(str(platform[key]) for key in ("os", "architecture", "variant") if platform.get(key))
