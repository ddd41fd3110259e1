"""What ``udist config check`` and ``udist doctor`` ask of the ``oss`` section beyond what serving does."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from udist_plugin.drivers.oss.client import OssClient
from udist_plugin.drivers.oss.driver import OssDriver
from udist_plugin.drivers.oss.settings import settings
from udist_plugin.drivers.oss.store import OssStore
from udist_plugin.drivers.section import every_error
from udist_plugin.errors import PathBusy, StorageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from udist_plugin.drivers.base import StorageDriver
    from udist_plugin.errors import ConfigurationError

HOUR: Final = 3600.0
"""Seconds that the service's clock may be ahead."""


def problems(parameters: Mapping[str, object]) -> list[ConfigurationError]:
    """See ``drivers.problems``."""
    return every_error(settings, parameters, OssClient)


def steps(driver: StorageDriver, folder: str) -> list[tuple[str, Callable[[], object]]]:
    """See ``drivers.further_steps``."""
    assert isinstance(driver, OssDriver)
    store = driver.store
    assert isinstance(store, OssStore)
    parts, exclusive = (driver.key(f"{folder}/{each}/data") for each in ("multipart", "exclusive"))
    return [
        ("multipart", lambda: _try_multipart(store, parts)),
        ("exclusive", lambda: _try_exclusive(store, exclusive)),
    ]


def _try_multipart(store: OssStore, key: str) -> None:
    """Begins an upload of parts, looks for it and drops it: small files need none of that, large blobs do."""
    store._upload(key)._ended()
    store.purge(key, -HOUR)


def _try_exclusive(store: OssStore, key: str) -> None:
    """Makes an object twice, of which the second has to fail. Raises ``StorageError`` where it does not:
    a bucket that keeps versions ignores ``x-oss-forbid-overwrite``."""
    try:
        for attempt in range(2):
            writer = store.writer(key, mark=os.urandom(16).hex())
            writer.write(b"x")
            try:
                writer.commit()
            except PathBusy:
                if attempt:
                    return
                raise
        problem = "an object was replaced though that was forbidden: use a bucket without versioning"
        raise StorageError(problem, driver=store.name, path=key)
    finally:
        store.delete([key])
