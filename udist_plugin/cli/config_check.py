"""``udist config check``."""

from __future__ import annotations

import os

from udist_plugin.bootstrap.store import driver_of, url_for
from udist_plugin.cli.options import add_json_option, file_path
from udist_plugin.cli.output import note, print_json, print_table, printable
from udist_plugin.config.explaining import Setting, explain
from udist_plugin.config.files import read_file
from udist_plugin.errors import ConfigurationError
from udist_plugin.kinds import Secret
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from udist_plugin.config import Configuration

_EPILOG = """\
Shows every value and its source: a line of the file, a REGISTRY_* variable, or
the default. Secrets are masked. Warns on standard error about unknown keys,
likely typing mistakes, and keys that have no effect.

If anything is wrong, reports all errors at once, including those of the storage
driver's section, of storage middleware, of access control and of files that they
name. Does not connect to the store; "udist doctor" does.

examples:
  udist config check config.yml
  udist config check config.yml --explain
  REGISTRY_STORAGE=s3 REGISTRY_STORAGE_S3_BUCKET=backups udist config check --json
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    parser.add_argument(
        "file",
        nargs="?",
        metavar="FILE",
        type=file_path,
        help="the configuration file (default: only the variables)",
    )
    parser.add_argument("--explain", action="store_true", help="explain what each key does")
    add_json_option(parser)


def run(arguments: argparse.Namespace) -> None:
    path = arguments.file
    text = read_file(path) if path else None
    explained = explain(text, os.environ, config_name=path or "configuration")
    if errors := explained.problems(*_problems(explained.examined.configuration)):
        raise ConfigurationError.of(errors)
    examined = explained.examined
    settings = [explained.driver, *explained.settings]
    if arguments.json:
        told = {"warnings": examined.warnings, "notices": examined.notices}
        print_json({"settings": [_entry(setting) for setting in settings], **told})
        return
    for message in (*examined.warnings, *examined.notices):
        note(printable(message))
    columns = 4 if arguments.explain else 3
    print_table([_row(setting)[:columns] for setting in settings])


def _problems(configuration: Configuration | None) -> Iterator[ConfigurationError]:
    """What is wrong with access control and storage middleware."""
    if configuration is None:
        return
    for check in _check_access, _check_middleware:
        try:
            check(configuration)
        except ConfigurationError as error:
            yield error


def _check_access(configuration: Configuration) -> None:
    if configuration.guarded:
        from udist_plugin.bootstrap.guarding import check

        check(configuration)


def _check_middleware(configuration: Configuration) -> None:
    if configuration.middleware.storage:
        url_for(driver_of(configuration), configuration)


def _row(setting: Setting) -> tuple[str, ...]:
    row = (setting.path, setting.shown or "-", setting.source, setting.key.effect)
    return tuple(map(printable, row))


def _entry(setting: Setting) -> dict[str, object]:
    plain = isinstance(setting.value, bool | int) and not isinstance(setting.key.kind, Secret)
    return {
        "key": setting.path,
        "value": setting.value if plain else setting.shown,
        "source": setting.source,
        "effect": setting.key.effect,
    }
