"""``udist upgrade``."""

from __future__ import annotations

from udist_plugin.cli.options import add_config_option, add_json_option
from udist_plugin.cli.output import print_json
from udist_plugin.cli.stores import opened
from udist_plugin.storage.registry import StorageRegistry
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

_EPILOG = """\
Writes the tags sha256-... by which stock registries find signatures and other
referrers, for a store that was filled without them. The store can be in use
meanwhile. Running the command again does no harm.

examples:
  udist upgrade --config config.yml
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    add_config_option(parser)
    add_json_option(parser)


def run(arguments: argparse.Namespace) -> None:
    driver = opened(arguments, to_be="upgraded")
    registry = StorageRegistry(driver)
    written: dict[str, int] = {}
    for name in registry.list_repositories().items:
        written[name] = registry.sync_referrers_tags(name)
        if written[name] and not arguments.json:
            print(f"{name}: {written[name]} tags of referrers updated", flush=True)
    if arguments.json:
        print_json({"repositories": written})
    elif not any(written.values()):
        print("the store is up to date")
