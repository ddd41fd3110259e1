"""``udist verify``."""

from __future__ import annotations

from udist_plugin.cli.anywhere import Anywhere, add_image, add_place_options, divided, manifest_of
from udist_plugin.cli.options import image_identity
from udist_plugin.cli.output import print_json, print_table, printable
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

_EPILOG = """\
Succeeds if the image has a signature by the key, at the tag sha256-<hex>.sig or in
a bundle among the referrers, as cosign, podman, skopeo and "udist sign" make them.
Of a docker:// image, signatures are also looked for where registries.d says; those
by GPG keys are there. Signatures by others do not matter, nor do those that cannot
be read. Attestations do not count.

Prints where each good signature is, and what it says the image is called. With
--identity, only signatures count that name the image so; those of cosign 3 name
none. Transparency logs and certificates are not checked. Needs the extra
"signing".

exit codes: 0 if the image is signed; 5 if it is not

examples:
  udist verify demo/app:v1 --key cosign.pub
  udist verify demo/app:v1 --key cosign.pub --identity registry.example.com/demo/app:v1
  udist verify docker://registry.example.com/demo/app:v1 --key team.gpg
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    add_image(parser)
    parser.add_argument(
        "--key",
        metavar="FILE",
        required=True,
        action="append",
        help="a public key, such as cosign.pub, or public GPG keys; of several, one has to fit",
    )
    parser.add_argument(
        "--identity", metavar="REF", type=image_identity, help="what a signature has to call the image"
    )
    add_place_options(parser)


def run(arguments: argparse.Namespace) -> None:
    from udist_plugin.images.signatures.all_keys import AllKeys
    from udist_plugin.images.signatures.verifying import verify_attached

    places, identity = Anywhere(arguments), arguments.identity
    accepts = None if identity is None else (lambda reference: reference == identity)
    with (
        AllKeys(arguments.key) as keys,
        places.image(arguments.image).new_image_source(places.system) as source,
    ):
        manifest = manifest_of(source, None, places.system)
        digest, place = manifest.digest, divided(arguments.image)[0]
        verified = verify_attached(
            source.get_signatures(manifest), manifest.content, keys.names_in, accepts, f"{place}@{digest}"
        )
    if arguments.json:
        print_json({"digest": digest, "signatures": [each._asdict() for each in verified]})
    else:
        print(digest)
        print_table([(each.place, printable(each.reference or "-")) for each in verified])
