"""Storage drivers by name, imported when one is opened.

Others add theirs with an entry point in the group ``udist_plugin.storage_drivers`` that names a subclass of
``StorageDriver``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from udist_plugin.errors import ConfigurationError
from udist_plugin.storage.drivers.base import FileInfo, FileWriter, StorageDriver

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = [
    "DRIVERS",
    "ENTRY_POINTS",
    "FileInfo",
    "FileWriter",
    "StorageDriver",
    "further_steps",
    "open_driver",
    "problems",
]

ENTRY_POINTS: Final = "udist_plugin.storage_drivers"


class Source(NamedTuple):
    """Where a driver is found, and what to install when its imports fail."""

    module: str
    attribute: str
    install: str = "pip install udist-plugin"
    checkup: str = ""
    """The module with ``problems`` and ``steps``, where there is more to look at than what serving needs."""


DRIVERS: Final[Mapping[str, Source]] = {
    "azure": Source(
        "udist_plugin.storage.drivers.azure",
        "AzureDriver",
        "pip install 'udist-plugin[azure]'",
        "udist_plugin.storage.drivers.azure_checkup",
    ),
    "filesystem": Source("udist_plugin.storage.drivers.filesystem", "FilesystemDriver"),
    "gcs": Source(
        "udist_plugin.storage.drivers.gcs",
        "GcsDriver",
        "pip install 'udist-plugin[gcs]'",
        "udist_plugin.storage.drivers.gcs_checkup",
    ),
    "inmemory": Source("udist_plugin.storage.drivers.inmemory", "InMemoryDriver"),
    "s3": Source(
        "udist_plugin.storage.drivers.s3", "S3Driver", checkup="udist_plugin.storage.drivers.s3_checkup"
    ),
}


def open_driver(name: str, parameters: Mapping[str, object]) -> StorageDriver:
    """The driver ``name`` with its section of the configuration.

    Raises ``ConfigurationError`` when there is no such driver, it is not installed, or a parameter is wrong.
    """
    return _load(name).from_parameters(parameters)


def problems(name: str, parameters: Mapping[str, object]) -> list[ConfigurationError]:
    """All that is wrong with the section of the driver ``name``, as far as this machine can tell: no store is
    asked. Of a driver that another package announces this is only whether it is there."""
    try:
        driver = _load(name)
        if (checkup := _checkup(name)) is not None:
            found: list[ConfigurationError] = checkup.problems(parameters)
            return found
        if name in DRIVERS:
            driver.from_parameters(parameters)
    except ConfigurationError as error:
        return [error]
    return []


def further_steps(driver: StorageDriver, folder: str) -> list[tuple[str, Callable[[], object]]]:
    """What else a registry does with the driver's service, by name, to be tried below ``folder``."""
    steps = getattr(_checkup(driver.name), "steps", None)
    found: list[tuple[str, Callable[[], object]]] = steps(driver, folder) if steps is not None else []
    return found


def _checkup(name: str) -> Any:
    import importlib

    source = DRIVERS.get(name)
    return importlib.import_module(source.checkup) if source is not None and source.checkup else None


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
