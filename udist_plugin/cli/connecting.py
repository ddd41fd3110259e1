"""Connects a command to its registry."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from udist_plugin.cli.output import printable
from udist_plugin.client.plugin import Plugin
from udist_plugin.config.files import read_file
from udist_plugin.remote.registry import RemoteRegistry

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator


@contextmanager
def connected(arguments: argparse.Namespace) -> Iterator[RemoteRegistry]:
    """Spawns the plugin that ``arguments`` describe and yields its registry; ends the plugin afterwards."""
    config = read_file(arguments.config) if arguments.config else None
    log = _print_log if arguments.verbose else None
    with Plugin(config, command=arguments.plugin, log=log) as plugin:
        yield RemoteRegistry(plugin)


def _print_log(line: str) -> None:
    print(printable(line), file=sys.stderr)
