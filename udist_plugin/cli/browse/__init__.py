"""``udist browse``."""

from __future__ import annotations

import sys

from udist_plugin.cli.anywhere import Anywhere
from udist_plugin.cli.error_codes import WrongCommandLine
from udist_plugin.cli.options import add_registry_options
from udist_plugin.cli.output import note, printable
from udist_plugin.cli.places import add_insecure_option
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

_EPILOG = """\
Opens a full-screen view: the repositories, their tags, platforms, configurations,
layers and referrers as a tree, and beside it the manifest or configuration under the
cursor. Only what is shown is read. Press ? for the keys and q to quit.

PLACE is NAME in the configured store, or TRANSPORT:PLACE as for "udist sync"; without
it, the whole store is shown. Needs the extra "browse".

Colours are used unless NO_COLOR is set. Editors have a JSON form of every listing:
see "udist help browsing".

examples:
  udist browse
  udist browse demo/app --read-only
  udist browse docker://quay.io/podman/hello
  udist browse oci:layout
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    parser.add_argument(
        "place",
        nargs="?",
        default="",
        metavar="PLACE",
        help="a repository of the store, or another place (default: the whole store)",
    )
    parser.add_argument("--read-only", action="store_true", help="delete nothing")
    add_insecure_option(parser)
    add_registry_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Returns the exit code, or the negative number of the signal that ended the browser."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):  # Textual draws on standard error
        problem = 'needs a terminal; "udist ls", "udist tags" and "udist tree" list the same'
        raise WrongCommandLine(arguments.parser, problem)
    from udist_plugin.cli.browse.app import Browser
    from udist_plugin.cli.browse.store import Store

    places, warnings = Anywhere(arguments), list[str]()
    system = places.system._replace(warn=warnings.append)  # the screen is taken
    text = arguments.place
    with places.repositories(text if ":" in text else f"udist:{text}", system) as repositories:
        browser = Browser(Store(repositories, system), text or "store", read_only=arguments.read_only)
        ended = browser.run()
    for warning in warnings:
        note(printable(warning))
    return ended or browser.return_code or 0
