"""What the commands on leases share."""

from __future__ import annotations

import argparse

from udist_plugin.cli.habits import is_reference
from udist_plugin.cli.options import reference
from udist_plugin.cli.output import print_json, printable
from udist_plugin.errors import ConfigurationError
from udist_plugin.storage.leases import OWNER, check_owner
from udist_plugin.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from udist_plugin.storage.leases import Lease


def add_owner(parser: argparse.ArgumentParser, **options: Any) -> None:
    parser.add_argument("owner", metavar="OWNER", type=_owner, help=f"who needs them: {OWNER}", **options)


def add_references(parser: argparse.ArgumentParser, **options: Any) -> None:
    parser.add_argument("references", metavar="NAME:TAG|NAME@DIGEST", type=_target, default=[], **options)


def shown(leases: Iterable[Lease], arguments: argparse.Namespace) -> None:
    """Prints leases, in order."""
    found = sorted((lease.owner, lease.reference) for lease in leases)
    if arguments.json:
        print_json({"leases": [{"owner": owner, "reference": reference} for owner, reference in found]})
        return
    for each in found:
        print(printable("  ".join(each)))


def _owner(text: str) -> str:
    try:
        return check_owner(text)
    except ConfigurationError as error:
        raise argparse.ArgumentTypeError(error.problem) from None


def _target(text: str) -> str:
    """A tag or a manifest in the store, which other commands also call ``udist:NAME:TAG``."""
    plain = text if is_reference(text) else text.removeprefix("udist:")
    found = reference(plain)
    if bool(found.tag) is bool(found.digest):
        raise argparse.ArgumentTypeError(f"{text!r}: give either a tag or a digest")
    return plain
