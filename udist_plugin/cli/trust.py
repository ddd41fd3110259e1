"""Which images a command takes over, and by which key it signs them."""

from __future__ import annotations

import os

from udist_plugin.cli.options import file_path, signed_identity
from udist_plugin.cli.sign import password_of
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from udist_plugin.images.policy.policy import Policy
    from udist_plugin.images.signatures.keys import PrivateKey


def add_policy_options(parser: argparse.ArgumentParser) -> None:
    """``--policy`` and ``--insecure-policy``."""
    choice = parser.add_argument_group("signature policy").add_mutually_exclusive_group()
    choice.add_argument(
        "--policy",
        metavar="FILE",
        type=file_path,
        help="the policy that images must meet (default: the one that podman and skopeo use)",
    )
    choice.add_argument("--insecure-policy", action="store_true", help="accept every image, signed or not")


def policy_of(arguments: argparse.Namespace) -> Policy:
    """Raises ``PolicyInvalid``, also when there is none."""
    from udist_plugin.errors import PolicyInvalid
    from udist_plugin.images.policy.files import load_policy
    from udist_plugin.images.policy.policy import Policy

    if arguments.insecure_policy:
        return Policy.accepting_anything()
    try:
        return load_policy(arguments.policy, os.environ)
    except PolicyInvalid as error:
        if not error.source:
            error.add_note("name one with --policy FILE, or accept every image with --insecure-policy")
        raise


def add_signing_options(parser: argparse.ArgumentParser) -> None:
    """``--sign-by-key`` and ``--sign-identity``."""
    parser.add_argument(
        "--sign-by-key",
        metavar="FILE",
        type=file_path,
        help="sign the copy with a private key, such as cosign.key",
    )
    parser.add_argument(
        "--sign-identity",
        metavar="REF",
        type=signed_identity,
        help="with --sign-by-key, what the image is called where it is pulled (default: as DESTINATION)",
    )


def key_of(arguments: argparse.Namespace) -> PrivateKey | None:
    """Raises ``KeyInvalid``."""
    if arguments.sign_by_key is None:
        return None
    from udist_plugin.images.signatures.keys import PrivateKey

    return PrivateKey.read(arguments.sign_by_key, password_of(arguments.sign_by_key))
