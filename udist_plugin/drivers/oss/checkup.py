"""What ``udist config check`` and ``udist doctor`` ask of the ``oss`` section beyond what serving does."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from udist_plugin.drivers.oss.client import OssClient
from udist_plugin.drivers.oss.driver import OssDriver
from udist_plugin.drivers.oss.settings import settings
from udist_plugin.drivers.section import every_error
from udist_plugin.errors import PathBusy, StorageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from udist_plugin.drivers.base import StorageDriver
    from udist_plugin.drivers.objects.store import ObjectStore
    from udist_plugin.errors import ConfigurationError


def problems(parameters: Mapping[str, object]) -> list[ConfigurationError]:
    """See ``drivers.problems``."""
    return every_error(settings, parameters, OssClient)


def steps(driver: StorageDriver, folder: str) -> list[tuple[str, Callable[[], object]]]:
    """See ``drivers.further_steps``."""
    assert isinstance(driver, OssDriver)
    key = driver.key(f"{folder}/exclusive/data")
    return [("exclusive", lambda: _try_exclusive(driver.store, key))]


def _try_exclusive(store: ObjectStore, key: str) -> None:
    """Makes an object twice, of which the second has to fail. Raises ``StorageError`` where it does not:
    a bucket that keeps versions ignores ``x-oss-forbid-overwrite``."""
    try:
        for attempt in range(2):
            writer = store.writer(key, mark=os.urandom(16).hex())
            writer.write(b"x")
            with suppress(*([PathBusy] if attempt else [])):
                writer.commit()
                if attempt:
                    problem = (
                        "an object was made where another stood: use a bucket without versioning, "
                        "or let one plugin at a time go on with an upload"
                    )
                    raise StorageError(problem, driver=store.name, path=key)
    finally:
        store.delete([key])
