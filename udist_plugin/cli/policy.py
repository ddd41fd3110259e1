"""``udist policy``."""

from __future__ import annotations

from udist_plugin.cli import policy_check
from udist_plugin.cli.commands import HelpFormatter
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

_EPILOG = """\
examples:
  udist policy check
  udist policy check policy.json docker://registry.example.com/team/app:v1
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    summary = "find rules that match nothing, and the rule for an image"
    command = commands.add_parser(
        "check",
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        formatter_class=HelpFormatter,
    )
    policy_check.configure(command)
    command.set_defaults(run_policy=policy_check.run)


def run(arguments: argparse.Namespace) -> None:
    arguments.run_policy(arguments)
