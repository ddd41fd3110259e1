"""``udist sync``."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial

from udist_plugin.cli.connecting import connected
from udist_plugin.cli.destination import add_destination_options, destination_of
from udist_plugin.cli.options import add_concurrency_option
from udist_plugin.cli.places import Places, system_of
from udist_plugin.cli.syncing import add_sync_options, carried_out, tell
from udist_plugin.cli.trust import add_policy_options, policy_of
from udist_plugin.images.syncing.sync import sync_images
from udist_plugin.images.syncing.yaml_file import YAML
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from udist_plugin.images.transports.base import Repositories

_EPILOG = """\
Copies a repository, or all of a registry, to where it is wanted, as far as it is
not there. A place is written TRANSPORT:PLACE:

  udist:NAME, udist:                  a repository, or all, of the configured store
  docker://HOST/NAME, docker://HOST   a repository, or all, of a registry
  oci:FOLDER                          an OCI image layout
  oci-archive:FILE                    the same in a tar file, as a source
  dir:FOLDER                          a folder of folders NAME:TAG with an image each
  yaml:FILE                           registries listed as for skopeo, as a source

One repository becomes the one that DESTINATION names, or else keeps its name. Of a
whole registry, all repositories keep their names below what DESTINATION names.
"udist help repositories" tells more.

Images are copied with all platforms and as they are. Tags that are equal cost one
request at each side. If an image fails, the others are still copied; if a sync is
interrupted, another one does the rest. Prints each image that was copied.

Images must meet your signature policy, the one that podman and skopeo use. If you
have none, name one with --policy, or accept every image with --insecure-policy.

examples:
  udist sync docker://quay.io/podman/hello udist:mirror/hello --tag 'v1.*'
  udist sync udist: docker://registry.example.com/backup --referrers
  udist sync oci:layout udist:demo/app --delete --dry-run
  udist sync udist: udist: --dest-config bucket.yml
  udist sync yaml:mirrors.yml udist:mirror
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    parser.add_argument("source", metavar="SOURCE", help="what to copy, TRANSPORT:PLACE")
    parser.add_argument("destination", metavar="DESTINATION", help="where to copy it, TRANSPORT:PLACE")
    parser.add_argument(
        "--referrers", action="store_true", help="also what refers to the images, such as signatures"
    )
    parser.add_argument(
        "--delete",
        action="store_true",
        help="delete tags at the destination that the source does not have; not of a repository of which "
        "something failed",
    )
    parser.add_argument(
        "--force", action="store_true", help="with --delete, also if the source has no tags for a repository"
    )
    parser.add_argument("--dry-run", action="store_true", help="show what would be done, and do nothing")
    add_concurrency_option(parser, "images")
    add_destination_options(parser)
    add_policy_options(parser)
    add_sync_options(parser)


def run(arguments: argparse.Namespace) -> None:
    policy = policy_of(arguments)
    places, system = Places(arguments.parser, lambda: connected(arguments)), system_of(arguments)
    with ExitStack() as stack:
        source: Repositories | str = arguments.source
        if not arguments.source.startswith(YAML):
            source = stack.enter_context(places.repositories(arguments.source, system))
        there = destination_of(arguments, places)
        destination = stack.enter_context(there.repositories(arguments.destination, system))
        result = carried_out(
            partial(sync_images, source, destination, policy=policy),
            arguments,
            "sync",
            referrers=arguments.referrers,
            delete=arguments.delete,
            force=arguments.force,
            dry_run=arguments.dry_run,
            concurrency=arguments.concurrency,
            system=system,
        )
    tell(result, as_json=arguments.json, dry_run=arguments.dry_run)
