"""What ``udist config check`` and ``udist doctor`` ask of the ``oss`` section beyond what serving does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from udist_plugin.drivers.objects.checkup import try_exclusive
from udist_plugin.drivers.oss.client import OssClient
from udist_plugin.drivers.oss.driver import OssDriver
from udist_plugin.drivers.oss.settings import settings
from udist_plugin.drivers.oss.store import OssStore
from udist_plugin.drivers.section import every_error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from udist_plugin.drivers.base import StorageDriver
    from udist_plugin.errors import ConfigurationError

HOUR: Final = 3600.0
"""Seconds that the service's clock may be ahead."""
VERSIONED: Final = "use a bucket without versioning"  # with it, x-oss-forbid-overwrite is ignored


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
        ("exclusive", lambda: try_exclusive(store, exclusive, VERSIONED)),
    ]


def _try_multipart(store: OssStore, key: str) -> None:
    """Begins an upload of parts, looks for it and drops it: small files need none of that, large blobs do."""
    store._upload(key)._ended()
    store.purge(key, -HOUR)
