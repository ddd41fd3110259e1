"""``udist config``."""

from __future__ import annotations

from udist_plugin.cli import config_check, config_keys
from udist_plugin.cli.commands import HelpFormatter
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

_EPILOG = """\
examples:
  udist config check /etc/docker/registry/config.yml
  REGISTRY_STORAGE=s3 REGISTRY_STORAGE_S3_BUCKET=backups udist config check --explain
  udist config keys storage.s3
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, module, summary in (
        ("check", config_check, "show the effective configuration, or everything wrong with it"),
        ("keys", config_keys, "list all configuration keys"),
    ):
        command = commands.add_parser(
            name,
            help=summary,
            description=f"{summary[0].upper()}{summary[1:]}.",
            formatter_class=HelpFormatter,
        )
        module.configure(command)
        command.set_defaults(run_config=module.run)


def run(arguments: argparse.Namespace) -> None:
    arguments.run_config(arguments)
