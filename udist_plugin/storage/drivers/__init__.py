"""Storage drivers by name, imported when one is opened.

Others add theirs with an entry point in the group ``udist_plugin.storage_drivers`` that names a subclass of
``StorageDriver``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from udist_plugin.errors import ConfigurationError
from udist_plugin.storage.drivers.base import FileInfo, FileWriter, StorageDriver

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["DRIVERS", "ENTRY_POINTS", "FileInfo", "FileWriter", "StorageDriver", "open_driver"]

ENTRY_POINTS: Final = "udist_plugin.storage_drivers"


class Source(NamedTuple):
    """Where a driver is found, and what to install when its imports fail."""

    module: str
    attribute: str
    install: str = "pip install udist-plugin"


DRIVERS: Final[Mapping[str, Source]] = {
    "azure": Source("udist_plugin.storage.drivers.azure", "AzureDriver", "pip install 'udist-plugin[azure]'"),
    "filesystem": Source("udist_plugin.storage.drivers.filesystem", "FilesystemDriver"),
    "gcs": Source("udist_plugin.storage.drivers.gcs", "GcsDriver", "pip install 'udist-plugin[gcs]'"),
    "inmemory": Source("udist_plugin.storage.drivers.inmemory", "InMemoryDriver"),
    "s3": Source("udist_plugin.storage.drivers.s3", "S3Driver"),
}


def open_driver(name: str, parameters: Mapping[str, object]) -> StorageDriver:
    """The driver ``name`` with its section of the configuration.

    Raises ``ConfigurationError`` when there is no such driver, it is not installed, or a parameter is wrong.
    """
    return _load(name).from_parameters(parameters)


def _load(name: str) -> type[StorageDriver]:
    import importlib

    key = f"storage.{name}"
    if (source := DRIVERS.get(name)) is None:
        return _load_entry_point(name)
    try:
        module = importlib.import_module(source.module)
    except ImportError as error:
        raise ConfigurationError(f"{error}; {source.install}", key=key) from error
    driver: type[StorageDriver] = getattr(module, source.attribute)
    return driver


def _load_entry_point(name: str) -> type[StorageDriver]:
    from importlib.metadata import entry_points

    key = f"storage.{name}"
    found = entry_points(group=ENTRY_POINTS)
    for entry in found.select(name=name):
        driver = entry.load()
        if not (isinstance(driver, type) and issubclass(driver, StorageDriver)):
            raise ConfigurationError(f"entry point {entry.value} is not a StorageDriver", key=key)
        return driver
    known = ", ".join(sorted({*DRIVERS, *found.names}))
    raise ConfigurationError(f"no such storage driver; there are {known}", key=key)
