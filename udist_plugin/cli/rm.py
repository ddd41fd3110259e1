"""``udist rm``."""

from __future__ import annotations

import argparse

from udist_plugin.cli.connecting import connected
from udist_plugin.cli.failures import NOT_FOUND
from udist_plugin.cli.options import add_common_options, reference
from udist_plugin.cli.output import print_json
from udist_plugin.errors import RegistryError
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from udist_plugin.oci.reference import Reference
    from udist_plugin.registry import Registry

_EPILOG = """\
NAME:TAG deletes only the tag: the manifest keeps its digest and its other tags.
NAME@DIGEST deletes the manifest and every tag that points to it. The blobs stay
in the store.

Prints what was deleted. If one cannot be deleted, the others still are.

examples:
  udist rm demo/readme:v1
  udist rm demo/readme:v1 demo/readme:v2 demo/other:v1
  udist rm --force demo/readme@sha256:0123...
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    parser.add_argument(
        "references",
        nargs="+",
        type=_one,
        metavar="NAME:TAG|NAME@DIGEST",
        help="a tag or a manifest to delete",
    )
    parser.add_argument(
        "-f", "--force", action="store_true", help="ignore tags and manifests that do not exist"
    )
    add_common_options(parser)


def run(arguments: argparse.Namespace) -> None:
    deleted: list[str] = []
    failed: list[Exception] = []
    with connected(arguments) as registry:
        for target in arguments.references:
            try:
                _delete(registry, target)
            except RegistryError as error:
                if not (arguments.force and isinstance(error, NOT_FOUND)):
                    failed.append(_named(error, target))
                continue
            deleted.append(str(target))
            if not arguments.json:
                print(target, flush=True)
    if arguments.json:
        print_json({"deleted": deleted})
    if failed:
        raise ExceptionGroup("not everything was deleted", failed)


def _delete(registry: Registry, target: Reference) -> None:
    if target.digest:
        registry.delete_manifest(target.name, target.digest)
    else:
        registry.delete_tag(target.name, target.target)


def _named(error: RegistryError, target: Reference) -> RegistryError:
    """``error``, saying which of several references it is about."""
    detail = error.detail if isinstance(error.detail, dict) else {"reason": error.detail}
    error.detail = {"reference": str(target), **detail}
    return error


def _one(text: str) -> Reference:
    """A reference with either a tag or a digest: deleting must not assume ``latest``."""
    parsed = reference(text)
    if bool(parsed.tag) == bool(parsed.digest):
        raise argparse.ArgumentTypeError(f"{text!r}: give either a tag or a digest")
    return parsed
