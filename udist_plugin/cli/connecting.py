"""Connects a command to its registry."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from udist_plugin.cli.output import note, printable
from udist_plugin.client.plugin import Plugin
from udist_plugin.config.files import read_file
from udist_plugin.remote.registry import RemoteRegistry

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator


@contextmanager
def connected(arguments: argparse.Namespace) -> Iterator[RemoteRegistry]:
    """Spawns the plugin that ``arguments`` describe and yields its registry; ends the plugin afterwards."""
    path = arguments.config
    config = read_file(path) if path else None
    log = _print_log if arguments.verbose else _drop
    with Plugin(config, command=arguments.plugin, log=log, config_name=path or "") as plugin:
        for warning in plugin.warnings:
            note(printable(warning))
        yield RemoteRegistry(plugin)


def _print_log(line: str) -> None:
    print(printable(line), file=sys.stderr)


def _drop(_: str) -> None:
    """The log is not asked for; an error still ends with its last lines."""
