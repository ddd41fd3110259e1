"""The store of a configuration, and where the sizes of its blobs are remembered."""

from __future__ import annotations

from udist_plugin.drivers import open_driver
from udist_plugin.errors import ConfigurationError
from udist_plugin.storage import paths
from udist_plugin.storage.sizes.sizes import MemorySizes, Sizes
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from udist_plugin.config import Configuration
    from udist_plugin.drivers.base import StorageDriver


def driver_of(configuration: Configuration) -> StorageDriver:
    storage = configuration.storage
    return open_driver(storage.driver, storage.parameters, scratch=paths.SCRATCH)


def url_for(driver: StorageDriver, configuration: Configuration) -> Callable[[str], str | None]:
    """Where content is fetched instead of here. Raises ``ConfigurationError`` for wrong middleware."""
    if configuration.storage.redirect.disable:
        return lambda _: None
    if not configuration.middleware.storage:
        return driver.url_for
    from udist_plugin.redirecting import chain

    return chain.url_for(driver, configuration.middleware.storage)


def check_writable(configuration: Configuration, impossible: str) -> None:
    """Raises ``ConfigurationError`` if the store is read-only and something is ``impossible`` then: "the
    store cannot be repaired", for instance. If that is empty, nothing is."""
    if impossible and configuration.storage.maintenance.readonly.enabled:
        raise ConfigurationError(f"is true, so {impossible}", key="storage.maintenance.readonly.enabled")


def sizes_of(configuration: Configuration) -> Sizes:
    """Where sizes of blobs are remembered, as configured."""
    cache, redis = configuration.storage.cache, configuration.redis
    if cache.blobdescriptor == "inmemory":
        return MemorySizes(cache.blobdescriptorsize)
    if cache.blobdescriptor != "redis" or redis is None:
        return Sizes()
    from udist_plugin.storage.sizes.redis import RedisSizes
    from udist_plugin.storage.sizes.settings import RedisSettings

    return RedisSizes(
        RedisSettings(
            addresses=redis.addrs,
            username=redis.username,
            password=redis.password,
            database=redis.db,
            client_name=redis.clientname,
            master=redis.mastername,
            sentinel_username=redis.sentinelusername,
            sentinel_password=redis.sentinelpassword,
            dial_timeout=redis.dialtimeout,
            answer_timeout=min(filter(None, (redis.readtimeout, redis.writetimeout)), default=0.0),
            pool_size=redis.poolsize,
            pool_timeout=redis.pooltimeout,
            tls=redis.tls.wanted,
            certificate=redis.tls.certificate,
            key=redis.tls.key,
            root_cas=redis.tls.rootcas,
        )
    )
