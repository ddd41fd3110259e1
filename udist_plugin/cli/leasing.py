"""What the commands on leases share."""

from __future__ import annotations

from udist_plugin.cli.output import print_json, printable
from udist_plugin.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from udist_plugin.storage.leases import Lease


def add_owner(parser: argparse.ArgumentParser, **options: Any) -> None:
    parser.add_argument(
        "owner", metavar="OWNER", help="letters, digits, dots, underscores and hyphens", **options
    )


def shown(leases: Iterable[Lease], arguments: argparse.Namespace) -> None:
    """Prints leases, in order."""
    found = sorted((lease.owner, lease.reference) for lease in leases)
    if arguments.json:
        print_json({"leases": [{"owner": owner, "reference": reference} for owner, reference in found]})
        return
    for owner, reference in found:
        print(printable(f"{owner}  {reference}"))
