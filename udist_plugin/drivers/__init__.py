"""Storage drivers by name, imported when one is opened.

Others add theirs with an entry point in the group ``udist_plugin.storage_drivers`` that names a subclass of
``StorageDriver``.
"""

from __future__ import annotations

from udist_plugin.drivers.base import FileInfo, FileWriter, StorageDriver
from udist_plugin.errors import ConfigurationError, UdistError
from udist_plugin.typed import TYPE_CHECKING, Any, Final

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
    "step_words",
]

ENTRY_POINTS: Final = "udist_plugin.storage_drivers"


class Shipped:
    """A driver of this package: where it is found, and what to install when its imports fail.

    ``checkup`` is the module with ``problems`` and ``steps``, where there is more to check than what serving
    needs.
    """

    def __init__(
        self,
        module: str,
        attribute: str,
        install: str = "pip install . in a checkout of udist",
        checkup: str = "",
    ) -> None:
        self.module = module
        self.attribute = attribute
        self.install = install
        self.checkup = checkup


DRIVERS: Final[Mapping[str, Shipped]] = {
    "azure": Shipped(
        f"{__name__}.azure.driver",
        "AzureDriver",
        "pip install '.[azure]' in a checkout of udist",
        f"{__name__}.azure.checkup",
    ),
    "filesystem": Shipped(f"{__name__}.filesystem.driver", "FilesystemDriver"),
    "fsspec": Shipped(
        f"{__name__}.fsspec.driver",
        "FsspecDriver",
        "pip install '.[fsspec]' in a checkout of udist",
        f"{__name__}.fsspec.checkup",
    ),
    "gcs": Shipped(
        f"{__name__}.gcs.driver",
        "GcsDriver",
        "pip install '.[gcs]' in a checkout of udist",
        f"{__name__}.gcs.checkup",
    ),
    "inmemory": Shipped(f"{__name__}.inmemory", "InMemoryDriver"),
    "oss": Shipped(
        f"{__name__}.oss.driver",
        "OssDriver",
        "pip install '.[oss]' in a checkout of udist",
        f"{__name__}.oss.checkup",
    ),
    "s3": Shipped(f"{__name__}.s3.driver", "S3Driver", checkup=f"{__name__}.s3.checkup"),
    "swift": Shipped(
        f"{__name__}.swift.driver",
        "SwiftDriver",
        "pip install '.[swift]' in a checkout of udist",
        f"{__name__}.swift.checkup",
    ),
}


def open_driver(name: str, parameters: Mapping[str, object], *, scratch: str) -> StorageDriver:
    """The driver ``name`` with its section of the configuration; see ``StorageDriver.from_parameters``.

    Raises ``ConfigurationError`` when there is no such driver, it is not installed, or a parameter is wrong.
    """
    return _load(name).from_parameters(parameters, scratch=scratch)


def problems(name: str, parameters: Mapping[str, object]) -> list[ConfigurationError]:
    """All that is wrong with the section of the driver ``name``, as far as this machine can tell: no store is
    asked. Of a driver that another package announces this is whether it is there, and what its ``checkup``
    says."""
    try:
        driver = _load(name)
        if (checkup := _checkup(driver)) is not None:
            found: list[ConfigurationError] = checkup.problems(parameters)
            return found
        if name in DRIVERS:
            driver.from_parameters(parameters, scratch="/scratch")
    except ConfigurationError as error:
        return [error]
    return []


def further_steps(driver: StorageDriver, folder: str) -> list[tuple[str, Callable[[], object]]]:
    """What else a registry does with the driver's service, by name, to be tried below ``folder``.

    Raises ``UdistError`` when the driver's ``checkup`` cannot say.
    """
    steps = getattr(_checkup(type(driver)), "steps", None)
    try:
        return [(name, action) for name, action in steps(driver, folder)] if steps is not None else []
    except UdistError:
        raise
    except Exception as error:  # another package may raise anything
        problem = f"{driver.checkup}.steps failed: {type(error).__name__}: {error}"
        raise ConfigurationError(problem, key=f"storage.{driver.name}") from error


def step_words(driver: StorageDriver) -> Mapping[str, str]:
    """What each of ``further_steps`` shows, by name: the dictionary ``SAID`` of the driver's ``checkup``."""
    said = getattr(_checkup(type(driver)), "SAID", {})
    return said if isinstance(said, dict) else {}


def _checkup(driver: type[StorageDriver]) -> Any:
    import importlib

    shipped = DRIVERS.get(driver.name)
    module = shipped.checkup if shipped is not None else driver.checkup
    try:
        return importlib.import_module(module) if module else None
    except ImportError as error:
        problem = f"what udist doctor asks of the driver cannot be imported: {error}"
        raise ConfigurationError(problem, key=f"storage.{driver.name}") from error


def _load(name: str) -> type[StorageDriver]:
    key = f"storage.{name}"
    if (shipped := DRIVERS.get(name)) is None:
        return _load_entry_point(name)
    try:
        module = __import__(shipped.module, fromlist=[shipped.attribute])
    except ImportError as error:
        raise ConfigurationError(f"{error}; {shipped.install}", key=key) from error
    driver: type[StorageDriver] = getattr(module, shipped.attribute)
    return driver


def _load_entry_point(name: str) -> type[StorageDriver]:
    from importlib.metadata import entry_points

    key = f"storage.{name}"
    found = entry_points(group=ENTRY_POINTS)
    for entry in found.select(name=name):
        try:
            driver = entry.load()
        except ImportError as error:
            package = entry.dist.name if entry.dist is not None else entry.value
            raise ConfigurationError(f"{error}; install what {package} needs", key=key) from error
        if not (isinstance(driver, type) and issubclass(driver, StorageDriver)):
            raise ConfigurationError(f"entry point {entry.value} is not a StorageDriver", key=key)
        return driver
    known = ", ".join(sorted({*DRIVERS, *found.names}))
    raise ConfigurationError(f"no such storage driver; there are {known}", key=key)
