"""``udist verify``."""

from __future__ import annotations

from udist_plugin.cli.connecting import connected
from udist_plugin.cli.options import add_common_options, add_reference, image_identity
from udist_plugin.cli.output import print_json, print_table, printable
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

_EPILOG = """\
Succeeds if the image has a signature by the key, at the tag sha256-<hex>.sig or in
a bundle among the referrers, as cosign, podman, skopeo and "udist sign" make them.
Signatures by others do not matter, nor do those that cannot be read. Attestations
do not count.

Prints where each good signature is, and what it says the image is called. With
--identity, only signatures count that name the image so; those of cosign 3 name
none. Transparency logs and certificates are not checked. Needs the extra
"signing".

exit codes: 0 if the image is signed; 5 if it is not

examples:
  udist verify demo/app:v1 --key cosign.pub
  udist verify demo/app:v1 --key cosign.pub --identity registry.example.com/demo/app:v1
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    add_reference(parser)
    parser.add_argument(
        "--key",
        metavar="FILE",
        required=True,
        action="append",
        help="a public key, such as cosign.pub; of several, one has to fit",
    )
    parser.add_argument(
        "--identity", metavar="REF", type=image_identity, help="what a signature has to call the image"
    )
    add_common_options(parser)


def run(arguments: argparse.Namespace) -> None:
    from udist_plugin.images.signatures.keys import PublicKey
    from udist_plugin.images.signatures.verifying import verify_image

    reference = arguments.reference
    keys = [PublicKey.read(path) for path in arguments.key]
    with connected(arguments) as registry:
        digest = reference.digest or registry.resolve_manifest(reference.name, reference.target).digest
        verified = verify_image(registry, reference.name, digest, keys, arguments.identity)
    if arguments.json:
        print_json({"digest": digest, "signatures": [each._asdict() for each in verified]})
    else:
        print(digest)
        print_table([(each.place, printable(each.reference or "-")) for each in verified])
