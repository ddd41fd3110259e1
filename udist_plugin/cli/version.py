"""``udist version``."""

from __future__ import annotations

from udist_plugin.cli.options import add_json_option
from udist_plugin.cli.output import print_json
from udist_plugin.errors import UdistError
from udist_plugin.typed import TYPE_CHECKING, Final
from udist_plugin.version import __version__

if TYPE_CHECKING:
    import argparse

FOLDER: Final = "carried"
"""The package's folder with what a single file carries. An installed package has none."""


_CARRIED: Final = (
    ("--licenses", "licenses.txt", "the licenses of what"),
    ("--sbom", "udist.spdx.json", "what, as SPDX,"),
)


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = "examples:\n  udist version\n  udist version --json\n  udist version --licenses | less\n"
    carried = parser.add_mutually_exclusive_group()
    for option, name, shown in _CARRIED:
        help_text = f"print {shown} a single file carries"
        carried.add_argument(option, dest="shown", action="store_const", const=name, help=help_text)
    add_json_option(carried)


def run(arguments: argparse.Namespace) -> None:
    """Raises ``UdistError`` if what is asked for is not there."""
    if arguments.json:
        print_json({"version": __version__})
        return
    if arguments.shown is None:
        print(f"udist {__version__}")
        return
    from importlib.resources import files

    try:
        print(files("udist_plugin").joinpath(FOLDER, arguments.shown).read_text("utf-8"), end="")
    except FileNotFoundError:
        raise UdistError(
            "this udist is a Python package, which carries nothing; ask what installed it: pip inspect"
        ) from None
