"""``udist copy``."""

from __future__ import annotations

import io

from udist_plugin.cli.anywhere import platform
from udist_plugin.cli.compressing import add_compression_options, compression_of
from udist_plugin.cli.connecting import connected
from udist_plugin.cli.destination import add_destination_options, destination_of
from udist_plugin.cli.error_codes import WrongCommandLine
from udist_plugin.cli.options import add_common_options, add_concurrency_option, file_path
from udist_plugin.cli.output import note, print_json, size_text
from udist_plugin.cli.places import Places, add_insecure_option, system_of
from udist_plugin.cli.progress import progress_of
from udist_plugin.cli.trust import add_policy_options, add_signing_options, key_of, policy_of
from udist_plugin.images.archive.opening import STANDARD
from udist_plugin.images.copying.copy import copy_image
from udist_plugin.images.placing import place_file
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from udist_plugin.images.copying.copy import CopyResult

_EPILOG = """\
Copies an image or artifact between any two places, and prints its digest there.
A place is written TRANSPORT:REFERENCE:

  udist:NAME[:TAG|@DIGEST]            the configured store
  docker://[HOST/]NAME[:TAG|@DIGEST]  a registry
  oci:FOLDER[:NAME]                   a folder that is an OCI image layout
  oci-archive:FILE[:NAME]             the same in a tar file
  docker-archive:FILE[:NAME[:TAG]]    from docker save, or for docker load
  dir:FOLDER                          a folder with one image

The FILE - is standard input or output. "udist help images" tells more.

Of an image for several platforms, all are copied. Bytes stay as they are unless
you ask for a change, and every digest is verified. Blobs that the destination
has are not moved again. Its name is written last, so a copy that fails or is
interrupted changes nothing there, and can be run again.

Images must meet your signature policy, the one that podman and skopeo use. If you
have none, name one with --policy, or accept every image with --insecure-policy.

examples:
  udist copy oci:build:v1 udist:demo/app:v1
  udist copy udist:demo/app:v1 oci:out:v1 --platform linux/arm64
  udist copy udist:demo/app:v1 udist:prod/app:v1 --preserve-digests
  udist copy udist:demo/app:v1 docker://registry.example.com/app:v1 --referrers
  udist copy udist:demo/app:v1 udist:demo/app:v1 --dest-config bucket.yml
  udist copy docker://quay.io/podman/hello udist:hello --platform linux/amd64
  udist copy udist:demo/app:v1 udist:demo/app:zstd --format oci --compression zstd
  docker save demo/app | udist copy docker-archive:- udist:demo/app:v1
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    parser.add_argument("source", metavar="SOURCE", help="the image to copy, TRANSPORT:REFERENCE")
    parser.add_argument("destination", metavar="DESTINATION", help="where to copy it")
    _add_platform_options(parser)
    parser.add_argument(
        "--format", choices=["oci", "docker"], help="convert manifests to this format; their digests change"
    )
    add_compression_options(parser)
    add_destination_options(parser)
    add_insecure_option(parser)
    add_policy_options(parser)
    add_signing_options(parser)
    parser.add_argument(
        "--preserve-digests", action="store_true", help="fail if the copy would have another digest"
    )
    parser.add_argument(
        "--referrers", action="store_true", help="also copy what refers to the image, such as signatures"
    )
    parser.add_argument(
        "--digestfile", metavar="FILE", type=file_path, help="also write the digest to a file"
    )
    parser.add_argument("--dry-run", action="store_true", help="show what would be copied, and copy nothing")
    add_concurrency_option(parser, "blobs")
    add_common_options(parser)


def _add_platform_options(parser: argparse.ArgumentParser) -> None:
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument(
        "--platform",
        action="append",
        default=[],
        dest="platforms",
        type=platform,
        metavar="OS/ARCH[/VARIANT]",
        help="copy the image for this platform alone; repeat for an index of several",
    )
    choice.add_argument("--all", action="store_true", help="copy all platforms; this is the default")
    parser.add_argument(
        "--sparse", action="store_true", help="with --platform, keep the index as it is and its digest"
    )


def run(arguments: argparse.Namespace) -> None:
    if arguments.sparse and not arguments.platforms:
        raise WrongCommandLine(
            arguments.parser, "--sparse is for an index of chosen platforms; give --platform"
        )
    if arguments.sign_identity and not arguments.sign_by_key:
        raise WrongCommandLine(arguments.parser, "--sign-identity is for a signature; give --sign-by-key")
    policy, key, compression = policy_of(arguments), key_of(arguments), compression_of(arguments)
    places = Places(arguments.parser, lambda: connected(arguments))
    source = places.image(arguments.source)
    destination = destination_of(arguments, places).image(arguments.destination)
    with progress_of("copy", quiet=arguments.quiet, noun="blob") as progress:
        result = copy_image(
            source,
            destination,
            policy=policy,
            platforms=arguments.platforms,
            sparse=arguments.sparse,
            image_format=arguments.format,
            compression=compression,
            preserve_digests=arguments.preserve_digests,
            referrers=arguments.referrers,
            sign_by=key,
            sign_identity=str(arguments.sign_identity) if arguments.sign_identity else None,
            dry_run=arguments.dry_run,
            progress=progress,
            concurrency=arguments.concurrency,
            system=system_of(arguments),
        )
    if arguments.digestfile and not arguments.dry_run:
        place_file(io.BytesIO(result.descriptor.digest.encode()), arguments.digestfile, overwrite=True)
    _tell(arguments, result)


def _tell(arguments: argparse.Namespace, result: CopyResult) -> None:
    digest = result.descriptor.digest
    if arguments.json:
        print_json(
            {
                "source": arguments.source,
                "destination": arguments.destination,
                "sourceDigest": result.source,
                **result.descriptor.to_json(),
                "manifests": result.manifests,
                "copied": [blob.to_json() for blob in result.moved],
                "present": [blob.to_json() for blob in result.present],
                "referrers": [referrer.to_json() for referrer in result.referrers],
            }
        )
        return
    if digest != result.source:
        note(f"the digest changed from {result.source} to {digest}")
    if arguments.referrers:
        count = len(result.referrers)
        note(f"what refers to the image: {count} manifest{'' if count == 1 else 's'}")
    if arguments.dry_run:
        size = size_text(sum(blob.size for blob in result.moved))
        note(f"would copy {len(result.moved)} blobs, {size}; {len(result.present)} are there")
    if arguments.destination.split(":")[1:2] == [STANDARD]:  # standard output has the image
        note(digest)
    else:
        print(digest)
