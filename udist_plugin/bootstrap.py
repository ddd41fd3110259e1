"""The composition root: from a configuration to a registry behind a WSGI application."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from udist_plugin.config import Configuration, Loaded, load, registry_environment
from udist_plugin.drivers import open_driver
from udist_plugin.errors import ConfigurationError, PathNotFound
from udist_plugin.http_api.app import Application
from udist_plugin.http_api.settings import Settings
from udist_plugin.storage import paths
from udist_plugin.storage.registry import StorageRegistry
from udist_plugin.storage.sizes.sizes import Descriptors, MemoryDescriptors
from udist_plugin.storage.upkeep.schedule import Purging
from udist_plugin.wrappers.read_only import NoDeleteRegistry, ReadOnlyRegistry
from udist_plugin.wrappers.validation import Policy, ValidatingRegistry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from udist_plugin.config.keys.health import Health as HealthSettings
    from udist_plugin.config.model import Validation
    from udist_plugin.drivers.base import StorageDriver
    from udist_plugin.http_api.middleware.health import Check, Health
    from udist_plugin.registry import Registry

    WSGI = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
    Record = Callable[[str, str], object]
    """Takes a level (debug, info, warn, error) and a message for the log."""

MAX_FILE = 1 << 20
"""Characters read of a configuration file; the parser refuses far fewer."""


class RegistryApp:
    """A registry at work: a WSGI application (PEP 3333), and what runs beside requests.

    Close it, or use it as a context manager. ``drain_timeout`` is in seconds.
    """

    def __init__(self, loaded: Loaded) -> None:
        configuration = loaded.configuration
        http = configuration.http
        self.configuration = configuration
        self.drain_timeout = http.draintimeout
        driver = open_driver(
            configuration.storage.driver, configuration.storage.parameters, scratch=paths.SCRATCH
        )
        driver.probe()
        self._descriptors = _descriptors(configuration)
        self.registry = _registry(driver, configuration, self._descriptors)
        self.application = Application(
            self.registry,
            Settings(
                http.host,
                http.prefix,
                http.headers,
                catalog_max=configuration.catalog.maxentries,
                tags_max=configuration.tags.maxtags,
            ),
        )
        self._health = _health(self.application, configuration, driver)
        self._answer: WSGI = self._health or self.application
        self._messages = [("warn", text) for text in loaded.warnings]
        self._messages += [("info", text) for text in loaded.notices]
        maintenance = configuration.storage.maintenance
        self._purging: Purging | None = None
        if maintenance.uploadpurging.enabled and not maintenance.readonly.enabled:
            purging = maintenance.uploadpurging
            self._purging = Purging(driver, purging.age, purging.interval, dry_run=purging.dryrun)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        return self._answer(environ, start_response)

    def log_access(self, write: Callable[[str], object]) -> None:
        """Has ``write`` given a line of each request from now on, unless the configuration wants none."""
        if not self.configuration.log.accesslog.disabled:
            from udist_plugin.http_api.middleware.access_log import AccessLog

            self._answer = AccessLog(self._answer, write)

    def start(self, record: Record) -> None:
        """Logs what there is to say of the configuration, and starts what runs beside requests."""
        self.application.warm_up()
        for level, message in self._messages:
            record(level, message)
        self._descriptors.start(record)
        if self._purging:
            self._purging.start(record)
        if self._health:
            self._health.start(record)

    def close(self) -> None:
        """Ends what runs beside requests; twice is once."""
        if self._health:
            self._health.close()
        if self._purging:
            self._purging.close()
        self._descriptors.close()

    def __enter__(self) -> RegistryApp:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def create_app(
    config: str | os.PathLike[str] | Mapping[str, object] | Configuration | None = None,
    environ: Mapping[str, str] | None = None,
) -> RegistryApp:
    """A registry for this process: udistribution's ``NewClient`` and ``ServeHTTP``.

    ``config`` is YAML text, the path of a file (as a ``Path``), a mapping shaped like the file, or what
    ``udist_plugin.config.load`` gave; none stands for the defaults. ``environ`` are ``REGISTRY_*`` variables
    that go over it; the process's own are not looked at. Logs go to ``logging``'s logger ``udist_plugin``,
    and of requests to ``udist_plugin.access``: level and form are the process's to set there.
    Raises ``ConfigurationError`` and ``StorageError``.
    """
    if isinstance(config, Configuration):
        if environ:
            raise ConfigurationError("expected no variables beside a configuration that is already typed")
        loaded = Loaded(config, [], [])
    elif isinstance(config, os.PathLike):
        path = os.fspath(config)
        loaded = load(_read(path), environ or {}, source_name=path)
    else:
        loaded = load(config, environ or {})
    app = RegistryApp(loaded)
    app.log_access(_access)
    app.start(_record)
    return app


def build_service(
    path: str | None, configuration: str | None, environment: Mapping[str, str] | None
) -> RegistryApp:
    """The plugin's registry, not yet started.

    ``path`` is the command line's file; ``configuration``, YAML text, and ``environment`` are the caller's,
    which replaces all ``REGISTRY_*`` variables of the process. Raises ``ConfigurationError``, also when the
    configuration comes from both sides, and ``StorageError``.
    """
    if path is not None and configuration is not None:
        raise ConfigurationError(
            "the caller sent a configuration too; expected one", source=f"--config {path}"
        )
    variables = registry_environment() if environment is None else environment
    if path is not None:
        return RegistryApp(load(_read(path), variables, source_name=path))
    return RegistryApp(load(configuration, variables, source_name="the caller's configuration"))


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read(MAX_FILE)
    except OSError as error:
        raise ConfigurationError(f"cannot be read: {error.strerror}", source=path) from None
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"not UTF-8 at byte {error.start}", source=path) from None
    return text


def _registry(driver: StorageDriver, configuration: Configuration, descriptors: Descriptors) -> Registry:
    storage = configuration.storage
    read_only = storage.maintenance.readonly.enabled
    registry: Registry = StorageRegistry(
        driver,
        save_referrers=not read_only,
        descriptors=descriptors,
        url_for=_url_for(driver, configuration),
        tag_lookups=storage.tag.concurrencylimit,
    )
    registry = ValidatingRegistry(registry, _policy(configuration.validation))
    if read_only:
        return ReadOnlyRegistry(registry)
    return registry if storage.delete.enabled else NoDeleteRegistry(registry)


def _url_for(driver: StorageDriver, configuration: Configuration) -> Callable[[str], str | None]:
    """Where content is fetched instead of here: the last ``redirect`` of the storage middleware says, or else
    the driver."""
    if configuration.storage.redirect.disable:
        return lambda _: None
    if configuration.middleware.storage:
        base = configuration.middleware.storage[-1].options.baseurl.rstrip("/")
        return lambda path: base + path
    return driver.url_for


def _descriptors(configuration: Configuration) -> Descriptors:
    cache, redis = configuration.storage.cache, configuration.redis
    if cache.blobdescriptor == "inmemory":
        return MemoryDescriptors(cache.blobdescriptorsize)
    if cache.blobdescriptor != "redis" or redis is None:
        return Descriptors()
    from udist_plugin.storage.sizes.redis import RedisDescriptors, RedisSettings

    return RedisDescriptors(
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


def _policy(validation: Validation) -> Policy:
    """As in distribution, validation that is switched off still looks for a manifest's blobs. Unlike there,
    every URL is allowed while neither ``allow`` nor ``deny`` is set: a registry that conforms takes images
    whose layers are elsewhere."""
    manifests = validation.manifests
    if validation.disabled and not validation.enabled:
        return Policy(references=manifests.references, indexes=False)
    allow, deny = manifests.urls
    indexes = manifests.indexes
    return Policy(
        references=manifests.references,
        indexes=indexes.platforms != "none",
        platforms=indexes.platformlist if indexes.platforms == "list" else (),
        allow=allow,
        deny=deny,
    )


def _health(application: Application, configuration: Configuration, driver: StorageDriver) -> Health | None:
    checks = list(_checks(configuration.health, driver)) if configuration.health else []
    if not checks:
        return None
    from udist_plugin.http_api.middleware.health import Health

    return Health(application, checks)


def _checks(health: HealthSettings, driver: StorageDriver) -> Iterator[Check]:
    """The checks by distribution's names for them."""
    from udist_plugin.http_api.middleware.checks import file_check, http_check, tcp_check
    from udist_plugin.http_api.middleware.health import Check
    from udist_plugin.redaction import without_login

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


def _access(line: str) -> None:
    import logging

    logging.getLogger("udist_plugin.access").info("%s", line)


def _record(level: str, message: str) -> None:
    import logging

    logging.getLogger("udist_plugin").log(logging.getLevelNamesMapping()[level.upper()], "%s", message)
