"""``udist sign``."""

from __future__ import annotations

import os
import sys

from udist_plugin.cli.connecting import connected
from udist_plugin.cli.options import add_common_options, add_reference, image_identity
from udist_plugin.cli.output import print_json
from udist_plugin.errors import KeyInvalid
from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

PASSWORD: Final = "COSIGN_PASSWORD"  # noqa: S105 - its name

_EPILOG = """\
Attaches two signatures, which cosign, podman and skopeo verify: one at the tag
sha256-<hex>.sig, and a bundle among the referrers. What the key has signed before
is not signed again. Signatures by others stay.

The key file is one that "cosign generate-key-pair" or "skopeo
generate-sigstore-key" makes. Its password is read from $COSIGN_PASSWORD, or asked
for.

A signature also says what the image is called, which signature policies compare
with the name that is pulled. The store does not know its name elsewhere: give it
with --identity. Needs the extra "signing".

examples:
  udist sign demo/app:v1 --key cosign.key
  udist sign demo/app:v1 --key cosign.key --identity registry.example.com/demo/app:v1
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    add_reference(parser)
    parser.add_argument("--key", metavar="FILE", required=True, help="the private key, such as cosign.key")
    parser.add_argument(
        "--identity",
        metavar="REF",
        type=image_identity,
        help="what the image is called where it is pulled (default: the reference as given)",
    )
    add_common_options(parser)


def run(arguments: argparse.Namespace) -> None:
    from udist_plugin.images.signatures.keys import PrivateKey
    from udist_plugin.images.signatures.signing import sign_image

    reference = arguments.reference
    key = PrivateKey.read(arguments.key, password_of(arguments.key))
    default = reference if reference.digest else reference._replace(tag=reference.target)
    with connected(arguments) as registry:
        signed = sign_image(
            registry, reference.name, reference.target, key, str(arguments.identity or default)
        )
    if arguments.json:
        print_json(signed._asdict())
    else:
        print(f"{signed.digest}\n{signed.tag}\n{signed.referrer}")


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
