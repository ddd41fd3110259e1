"""``udist serve``: ``udist-plugin`` by another name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from udist_plugin.cli.options import add_config_option

if TYPE_CHECKING:
    import argparse

_EPILOG = """\
This is what other commands and client libraries spawn; it is the same as udist-plugin. It listens on no port:
it reads requests from standard input and writes responses to standard output until its input ends.

example:
  udist ls --plugin "ssh backup.example.com udist serve --config /etc/udist.yml"
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    add_config_option(parser)


def run(arguments: argparse.Namespace) -> None:
    from udist_plugin.cli.plugin import main

    main(["--config", arguments.config] if arguments.config else [])
