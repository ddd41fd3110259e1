"""Opens the store itself, for commands that work on it without a plugin."""

from __future__ import annotations

import os

from udist_plugin.bootstrap.store import check_writable, driver_of, sizes_of
from udist_plugin.cli.output import note, printable
from udist_plugin.config import load
from udist_plugin.config.files import read_file
from udist_plugin.redaction import without_login, without_query
from udist_plugin.storage import paths
from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import argparse

    from udist_plugin.config import Configuration
    from udist_plugin.drivers.base import StorageDriver
    from udist_plugin.storage.sizes.sizes import Sizes


PLACE: Final = (
    "url",
    "authurl",
    "bucket",
    "container",
    "accountname",
    "serviceurl",
    "region",
    "regionendpoint",
    "endpoint",
    "rootdirectory",
    "prefix",
)
"""Parameters of drivers that say where a store is."""
_IDENTITY: Final = (*PLACE, "realm")
"""Those that tell a store from any other."""


def opened(arguments: argparse.Namespace, *, to_be: str = "") -> StorageDriver:
    """The driver of the configured store. Raises ``ConfigurationError``, also if the store is read-only
    but is ``to_be`` changed: "upgraded", for instance."""
    return _opened(arguments, f"the store cannot be {to_be}" if to_be else "")[0]


def opened_with_place(
    arguments: argparse.Namespace, *, to_be: str = ""
) -> tuple[StorageDriver, dict[str, str]]:
    """As ``opened``, and what tells the store from others: its driver and where it is, without secrets."""
    driver, configuration = _opened(arguments, f"the store cannot be {to_be}" if to_be else "")
    return driver, {"driver": driver.name, **_place(configuration)}


def opened_with_sizes(arguments: argparse.Namespace, *, changes: bool) -> tuple[StorageDriver, Sizes]:
    """As ``opened``, to collect garbage, and where its plugins remember the sizes of blobs."""
    driver, configuration = _opened(arguments, "garbage cannot be collected" if changes else "")
    sizes = sizes_of(configuration)
    sizes.start(lambda _, message: note(printable(message)))
    return driver, sizes


def _opened(arguments: argparse.Namespace, impossible: str) -> tuple[StorageDriver, Configuration]:
    path = arguments.config
    config = read_file(path) if path else None
    loaded = load(config, os.environ, config_name=path or "configuration", on_pipes=True)
    for message in loaded.warnings:
        note(printable(message))
    check_writable(loaded.configuration, impossible)
    driver = driver_of(loaded.configuration)
    driver.probe()
    if not any(map(driver.exists, (paths.REPOSITORIES, paths.BLOBS))):
        place = "".join(f", {key} {value}" for key, value in _place(loaded.configuration).items())
        note(printable(f"this store is empty: {driver.name}{place}"))
    return driver, loaded.configuration


def _place(configuration: Configuration) -> dict[str, str]:
    """What tells a store from others of its driver, without secrets."""
    given = configuration.storage.parameters
    return {key: without_query(without_login(str(given[key]))) for key in _IDENTITY if given.get(key)}


def opened_quietly(arguments: argparse.Namespace) -> StorageDriver:
    """The same without a probe and without warnings, for a command whose plugin has done that."""
    path = arguments.config
    loaded = load(read_file(path) if path else None, os.environ, config_name=path or "", on_pipes=True)
    return driver_of(loaded.configuration)
