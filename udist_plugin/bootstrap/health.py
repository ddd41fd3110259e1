"""The health checks of a configuration."""

from __future__ import annotations

from contextlib import suppress

from udist_plugin.errors import PathNotFound
from udist_plugin.http_api.middleware.checks import file_check, http_check, tcp_check
from udist_plugin.http_api.middleware.health import Check, Health
from udist_plugin.redaction import without_login
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from udist_plugin.config.keys.health import Health as HealthSettings
    from udist_plugin.drivers.base import StorageDriver
    from udist_plugin.service import WSGI


def health_of(application: WSGI, settings: HealthSettings, driver: StorageDriver) -> Health | None:
    """``application`` with its checks, ``None`` if there are none."""
    checks = list(_checks(settings, driver))
    return Health(application, checks) if checks else None


def _checks(health: HealthSettings, driver: StorageDriver) -> Iterator[Check]:
    """The checks by distribution's names for them."""

    def look_at_store() -> None:
        with suppress(PathNotFound):  # it answers, and holds nothing yet
            driver.stat("/")

    if health.storagedriver.enabled:
        store = health.storagedriver
        yield Check(f"storagedriver_{driver.name}", look_at_store, store.interval, store.threshold)
    for file in health.file:
        yield Check(file.file, file_check(file.file), file.interval, file.threshold)
    for http in health.http:
        look = http_check(http.uri, http.statuscode, http.timeout, http.headers)
        yield Check(without_login(http.uri), look, http.interval, http.threshold)
    for tcp in health.tcp:
        yield Check(tcp.addr, tcp_check(tcp.addr, tcp.timeout), tcp.interval, tcp.threshold)
