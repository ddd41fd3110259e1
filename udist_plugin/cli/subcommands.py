"""Commands that have commands of their own, as ``udist config check``."""

from __future__ import annotations

from udist_plugin.cli.commands import HelpFormatter
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from typing import Protocol

    class CommandModule(Protocol):
        """A module as ``COMMANDS`` describes it."""

        @property
        def configure(self) -> Callable[[argparse.ArgumentParser], None]: ...

        @property
        def run(self) -> Callable[[argparse.Namespace], None]: ...


def add_subcommands(parser: argparse.ArgumentParser, *commands: tuple[str, CommandModule, str]) -> None:
    """Commands by name, each a module and a summary."""
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, module, summary in commands:
        command = subparsers.add_parser(
            name,
            help=summary,
            description=f"{summary[0].upper()}{summary[1:]}.",
            formatter_class=HelpFormatter,
        )
        module.configure(command)
        command.set_defaults(run_subcommand=module.run, parser=command)


def run(arguments: argparse.Namespace) -> None:
    """Runs the chosen one."""
    arguments.run_subcommand(arguments)
