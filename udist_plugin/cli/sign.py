"""``udist sign``."""

from __future__ import annotations

import os
import sys

from udist_plugin.cli.anywhere import Anywhere, add_image, add_place_options, manifest_of
from udist_plugin.cli.options import signed_identity
from udist_plugin.cli.output import print_json
from udist_plugin.errors import KeyInvalid
from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from udist_plugin.images.transports.base import ImageReference

PASSWORD: Final = "COSIGN_PASSWORD"  # noqa: S105 - its name

_EPILOG = """\
Attaches two signatures, which cosign, podman and skopeo verify: one at the tag
sha256-<hex>.sig, and a bundle among the referrers. What the key has signed before
is not signed again. Signatures by others stay.

The key file is one that "cosign generate-key-pair" or "skopeo
generate-sigstore-key" makes. Its password is read from $COSIGN_PASSWORD, or asked
for.

A signature also says what the image is called, which signature policies compare
with the name that is pulled: that of docker:// images, unless --identity gives
another. The store does not know what its images are called elsewhere. Needs the
extra "signing".

examples:
  udist sign demo/app:v1 --key cosign.key
  udist sign demo/app:v1 --key cosign.key --identity registry.example.com/demo/app:v1
  udist sign docker://registry.example.com/demo/app:v1 --key cosign.key
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    add_image(parser)
    parser.add_argument("--key", metavar="FILE", required=True, help="the private key, such as cosign.key")
    parser.add_argument(
        "--identity",
        metavar="REF",
        type=signed_identity,
        help="what the image is called where it is pulled (default: the reference as given)",
    )
    add_place_options(parser)


def run(arguments: argparse.Namespace) -> None:
    from udist_plugin.images.signatures.keys import PrivateKey

    places = Anywhere(arguments)
    reference = places.image(arguments.image)
    key = PrivateKey.read(arguments.key, password_of(arguments.key))
    identity = str(arguments.identity or _called(reference))
    with (
        reference.new_image_source(places.system) as source,
        reference.new_image_destination(places.system) as destination,
    ):
        signed = destination.sign(manifest_of(source, None, places.system), key, identity)
    if arguments.json:
        print_json(signed._asdict())
    else:
        print(f"{signed.digest}\n{signed.tag}\n{signed.referrer}")


def _called(reference: ImageReference) -> str:
    """What the image is called by default: a store does not know its host."""
    from udist_plugin.images.policy.names import called

    is_in_store = reference.transport.name == "udist"
    return reference.string_within_transport if is_in_store else called(reference)


def password_of(path: str) -> Callable[[], bytes]:
    """Asks for the password of the key file ``path``, unless the variable has it."""

    def ask() -> bytes:
        given = os.environ.get(PASSWORD)
        if given is not None:
            return os.fsencode(given)
        if not sys.stdin.isatty():
            raise KeyInvalid(f"needs its password; set {PASSWORD}, or run this in a terminal", path)
        from getpass import getpass

        try:
            return os.fsencode(getpass(f"Password of {path}: "))
        except EOFError:
            raise KeyInvalid("needs its password, and none was typed", path) from None

    return ask
