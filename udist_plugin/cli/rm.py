"""``udist rm``."""

from __future__ import annotations

from contextlib import nullcontext

from udist_plugin.cli.anywhere import PLACES, Anywhere, add_place_options, divided
from udist_plugin.cli.error_codes import WrongCommandLine
from udist_plugin.cli.failures import NOT_FOUND
from udist_plugin.cli.output import note, print_json, printable
from udist_plugin.cli.stores import opened_quietly
from udist_plugin.errors import ImageError, RegistryError, UdistError
from udist_plugin.images.transports.udist import UdistReference
from udist_plugin.oci.digest import Digest
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Mapping
    from contextlib import AbstractContextManager

    from udist_plugin.images.transports.base import ImageReference

_EPILOG = f"""\
NAME:TAG deletes only the tag: the manifest keeps its digest and its other tags.
NAME@DIGEST deletes the manifest and every tag that points to it. The blobs stay
in the store. From a layout, oci:FOLDER:NAME or oci:FOLDER:@DIGEST, the image is
no longer listed; its blobs stay, too. Some registries delete no tags, or nothing.

Prints what was deleted. If one cannot be deleted, the others still are. A warning names
the owners of leases on it; see udist lease --help.

{PLACES}
examples:
  udist rm demo/readme:v1
  udist rm demo/readme:v1 demo/readme:v2 demo/other:v1
  udist rm --force demo/readme@sha256:0123...
  udist rm docker://registry.example.com/demo/app:v1 oci:layout:v1
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    parser.add_argument(
        "references",
        nargs="+",
        metavar="NAME:TAG|NAME@DIGEST|TRANSPORT:REF",
        help="a tag or a manifest to delete",
    )
    parser.add_argument(
        "-f", "--force", action="store_true", help="ignore tags and manifests that do not exist"
    )
    add_place_options(parser)


def run(arguments: argparse.Namespace) -> None:
    places = Anywhere(arguments)
    for text in arguments.references:
        _check_target(arguments, places, text)
    targets = [(text, places.image(text)) for text in arguments.references]
    deleted: dict[str, ImageReference] = {}
    failed: list[Exception] = []
    with _kept_open(target for _, target in targets):
        for text, target in targets:
            try:
                target.delete_image(places.system)
            except (RegistryError, ImageError) as error:
                if not (arguments.force and isinstance(error, NOT_FOUND)):
                    failed.append(_named(error, text))
                continue
            deleted[text] = target
            if not arguments.json:
                print(text, flush=True)
    if arguments.json:
        print_json({"deleted": [*deleted]})
    _warn(arguments, deleted)
    if failed:
        raise ExceptionGroup("not everything was deleted", failed)


def _kept_open(targets: Iterable[ImageReference]) -> AbstractContextManager[None]:
    """One plugin for all of the store's, if there are any."""
    stores = [target.transport.registry for target in targets if isinstance(target, UdistReference)]
    return stores[0].kept() if stores else nullcontext()


def _warn(arguments: argparse.Namespace, deleted: Mapping[str, ImageReference]) -> None:
    """Says who needs what was deleted from the configured store; a plugin of the caller's may use another."""
    own = {text: target.reference for text, target in deleted.items() if isinstance(target, UdistReference)}
    if not own or arguments.plugin:
        return
    from udist_plugin.storage.leases import Leases

    try:
        leases = Leases(opened_quietly(arguments))
        for text, reference in own.items():
            if owners := leases.owners(reference.name, Digest.or_tag(reference.target)):
                note(printable(f"warning: {text} was deleted, but is under a lease of {', '.join(owners)}"))
    except UdistError as error:
        note(printable(f"warning: cannot tell who has leases on what was deleted: {error}"))


def _check_target(arguments: argparse.Namespace, places: Anywhere, text: str) -> None:
    """Raises ``WrongCommandLine`` unless ``text`` has either a tag or a digest: deleting must not assume
    ``latest``."""
    places.image(text)
    image = divided(text)[1]
    if not image or "@" in image[1:]:
        raise WrongCommandLine(arguments.parser, f"{text!r}: give either a tag or a digest")


def _named(error: Exception, target: str) -> Exception:
    """``error``, saying which of several references it is about."""
    if isinstance(error, RegistryError):
        detail = error.detail if isinstance(error.detail, dict) else {"reason": error.detail}
        error.detail = {"reference": target, **detail}
    return error
