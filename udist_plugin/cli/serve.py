"""``udist serve``, the same as ``udist-plugin``."""

from __future__ import annotations

from udist_plugin.cli.options import add_config_option
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

_EPILOG = """\
Does the same as udist-plugin, the program that other commands and client
libraries spawn. It opens no port: it reads requests from standard input and
writes responses to standard output until standard input is closed.

examples:
  udist ls --plugin "ssh backup.example.com udist serve --config /etc/udist.yml"
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    add_config_option(parser)


def run(arguments: argparse.Namespace) -> None:
    from udist_plugin.cli.plugin import main

    main(["--config", arguments.config] if arguments.config else [])
