"""``udist config``."""

from __future__ import annotations

from udist_plugin.cli import config_check, config_keys
from udist_plugin.cli.subcommands import add_subcommands, run
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

__all__ = ["configure", "run"]

_EPILOG = """\
examples:
  udist config check /etc/docker/registry/config.yml
  REGISTRY_STORAGE=s3 REGISTRY_STORAGE_S3_BUCKET=backups udist config check --explain
  udist config keys storage.s3
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    add_subcommands(
        parser,
        ("check", config_check, "show the effective configuration, or everything wrong with it"),
        ("keys", config_keys, "list all configuration keys"),
    )
