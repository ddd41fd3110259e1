"""Looks after a store, without a registry: what the commands ``du`` and ``scrub`` do."""

from __future__ import annotations

import os
from contextlib import contextmanager

from udist_plugin.bootstrap.services import with_variables
from udist_plugin.bootstrap.store import driver_of
from udist_plugin.config import load
from udist_plugin.config.files import read_file
from udist_plugin.errors import ConfigurationError
from udist_plugin.storage.scrubbing.scrub import NOTHING, Repair, scrub
from udist_plugin.storage.usage import Usage, usage
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from udist_plugin.config import Configuration
    from udist_plugin.drivers.base import StorageDriver
    from udist_plugin.storage.scrubbing.damage import Damage

    Config = str | os.PathLike[str] | Mapping[str, object] | None


def disk_usage(config: Config = None, environ: Mapping[str, str] | None = None) -> Usage:
    """``udist du`` for this process: what each repository, tag and owner of leases needs, in bytes.

    ``config`` and ``environ`` are those of ``create_app``. Raises ``ConfigurationError``, and
    ``StorageError`` if a link or manifest cannot be read.
    """
    with _opened(config, environ) as driver:
        return usage(driver)


def find_damage(
    config: Config = None,
    environ: Mapping[str, str] | None = None,
    *,
    repair: bool = False,
    aside: bool = False,
    sparse: bool = False,
) -> Iterator[Damage]:
    """``udist scrub`` for this process: what is damaged, each as it is found.

    ``config`` and ``environ`` are those of ``create_app``. ``repair`` repairs what is safe to repair, and
    with it ``aside`` moves damaged blobs aside, so that they can be pushed again. With ``sparse`` an index
    may lack some of its manifests. Raises ``ConfigurationError``, also for ``aside`` without ``repair`` and
    if the store is read-only and would be repaired, and ``StorageError`` if the store cannot be listed.
    """
    if aside and not repair:
        raise ConfigurationError("is true, but repair is not; set both", key="aside")
    with _opened(config, environ, impossible="the store cannot be repaired" if repair else "") as driver:
        yield from scrub(driver, repair=Repair(repair, aside) if repair else NOTHING, sparse=sparse)


def configuration_of(
    config: Config, environ: Mapping[str, str] | None, *, impossible: str = ""
) -> Configuration:
    """The configuration of a store. Raises ``ConfigurationError``, also if the store is read-only and
    something is ``impossible`` then: "the store cannot be repaired", for instance."""
    given = read_file(os.fspath(config)) if isinstance(config, os.PathLike) else config
    configuration = load(given, with_variables(os.environ, environ or {}), on_pipes=True).configuration
    if impossible and configuration.storage.maintenance.readonly.enabled:
        problem = f"is true, so {impossible}"
        raise ConfigurationError(problem, key="storage.maintenance.readonly.enabled")
    return configuration


@contextmanager
def _opened(
    config: Config, environ: Mapping[str, str] | None, *, impossible: str = ""
) -> Iterator[StorageDriver]:
    driver = driver_of(configuration_of(config, environ, impossible=impossible))
    try:
        driver.probe()
        yield driver
    finally:
        driver.close()
