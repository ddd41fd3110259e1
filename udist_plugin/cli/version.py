"""``udist version``."""

from __future__ import annotations

from udist_plugin.typed import TYPE_CHECKING
from udist_plugin.version import __version__

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = "example:\n  udist version\n"


def run(_: argparse.Namespace) -> None:
    print(f"udist {__version__}")
