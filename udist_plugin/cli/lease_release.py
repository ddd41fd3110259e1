"""``udist lease release``."""

from __future__ import annotations

from udist_plugin.cli.leasing import add_owner, add_references, shown
from udist_plugin.cli.options import add_config_option, add_json_option
from udist_plugin.cli.output import note
from udist_plugin.cli.stores import opened
from udist_plugin.errors import LeaseUnknown
from udist_plugin.storage.leases import Leases
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse


_EPILOG = """\
Prints what was released. If a lease does not exist, the others are still released.

examples:
  udist lease release backup-1
  udist lease release backup-1 demo/db:v3
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    add_owner(parser)
    add_references(parser, nargs="*", help="only these leases (default: all)")
    parser.add_argument("-f", "--force", action="store_true", help="ignore leases that do not exist")
    add_config_option(parser)
    add_json_option(parser)


def run(arguments: argparse.Namespace) -> None:
    owner: str = arguments.owner
    released = Leases(opened(arguments, to_be="changed")).release(owner, arguments.references)
    shown(released, arguments)
    if not arguments.json:
        note(f"{len(released)} {'lease was' if len(released) == 1 else 'leases were'} released")
    found = {lease.reference for lease in released}
    missing: list[dict[str, str]] = [
        {"owner": owner, "reference": text} for text in arguments.references if text not in found
    ]
    if not (arguments.references or released):
        missing.append({"owner": owner})
    if missing and not arguments.force:
        raise ExceptionGroup("not everything was released", [LeaseUnknown(each) for each in missing])
