"""Another store as a command's destination."""

from __future__ import annotations

import argparse

from udist_plugin.cli.connecting import connected
from udist_plugin.cli.error_codes import WrongCommandLine
from udist_plugin.cli.options import command, file_path
from udist_plugin.cli.places import Places


def add_destination_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("another store as the destination")
    group.add_argument(
        "--dest-config",
        metavar="FILE",
        type=file_path,
        help="the configuration file of the destination's store; REGISTRY_* variables do not apply to it",
    )
    group.add_argument(
        "--dest-plugin",
        metavar="CMD",
        type=command,
        help='start this command for the destination\'s store, e.g. "ssh host udist-plugin"',
    )


def destination_of(arguments: argparse.Namespace, places: Places) -> Places:
    """Those of the destination, if it is another store; no variables apply to that."""
    if arguments.dest_config is None and arguments.dest_plugin is None:
        return places
    if not arguments.destination.startswith("udist:"):
        raise WrongCommandLine(
            arguments.parser, "--dest-config and --dest-plugin are for a DESTINATION of udist:"
        )
    there = argparse.Namespace(**vars(arguments))
    there.config, there.plugin = arguments.dest_config, arguments.dest_plugin
    variables: dict[str, str] | None = None if arguments.dest_config is None else {}
    return Places(arguments.parser, lambda: connected(there, variables))
