"""From a configuration to the parts of a registry, and to the whole."""

from __future__ import annotations

import os
from contextlib import suppress

from udist_plugin.config import Configuration, Loaded, load
from udist_plugin.config.overlay import PREFIX, registry_variables
from udist_plugin.drivers import open_driver
from udist_plugin.errors import ConfigurationError, PathNotFound
from udist_plugin.http_api.app import Application
from udist_plugin.http_api.options import Options
from udist_plugin.lazy_registry import LazyRegistry
from udist_plugin.service import Parts, RegistryApp
from udist_plugin.storage import paths
from udist_plugin.storage.sizes.sizes import MemorySizes, Sizes
from udist_plugin.typed import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from udist_plugin.config.keys.health import Health as HealthSettings
    from udist_plugin.config.model import Maintenance, Prometheus
    from udist_plugin.drivers.base import StorageDriver
    from udist_plugin.http_api.middleware.health import Check, Health
    from udist_plugin.http_api.middleware.metrics import Measurements
    from udist_plugin.notifications.bridge import Bridge
    from udist_plugin.registry import Registry
    from udist_plugin.service import WSGI, Job
    from udist_plugin.storage.collection.step import Step
    from udist_plugin.storage.extension import StoreExtension
    from udist_plugin.storage.upkeep.schedule import Purging
    from udist_plugin.wrappers.notifying import Occurrence
    from udist_plugin.wrappers.validation import Policy


class Listeners(NamedTuple):
    """Who else is told what happens: ``on_event`` of events, in a thread; ``hear`` before each answer."""

    on_event: Callable[[dict[str, Any]], object] | None = None
    hear: Callable[[Occurrence], None] | None = None


_NOBODY: Final = Listeners()


def create_app(
    config: str | os.PathLike[str] | Mapping[str, object] | Configuration | None = None,
    environ: Mapping[str, str] | None = None,
    *,
    on_event: Callable[[dict[str, Any]], object] | None = None,
) -> RegistryApp:
    """A registry for this process: udistribution's ``NewClient`` and ``ServeHTTP``.

    ``config`` is YAML text, the path of a file (as a ``Path``), a mapping shaped like the file, or what
    ``udist_plugin.config.load`` gave; none stands for the defaults. ``environ`` are ``REGISTRY_*`` variables
    that go over it; the process's own are not looked at. Logs go to ``logging``'s logger ``udist_plugin``,
    and of requests to ``udist_plugin.access``: level and form are the process's to set there.
    ``on_event`` is called in a thread with each event, as distribution's notifications have it (``udist help
    notifications``); after an exception it is called with the same event again.
    Raises ``ConfigurationError`` and ``StorageError``.
    """
    if isinstance(config, Configuration):
        if environ:
            raise ConfigurationError("expected no variables beside a configuration that is already typed")
        app = open_app(Loaded(config, [], []), Listeners(on_event))
    else:
        path = os.fspath(config) if isinstance(config, os.PathLike) else None
        given = None if isinstance(config, os.PathLike) else config
        variables = _with_variables(os.environ, environ or {})
        app = _configured(path, given, variables, "configuration", listeners=Listeners(on_event))
    app.log_access(_access)
    app.start(_record)
    app.warm_up()
    return app


def collect_garbage(
    config: str | os.PathLike[str] | Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
    *,
    apply: bool = False,
    grace: float = 24 * 3600.0,
    untagged: bool = False,
    retention: os.PathLike[str] | Mapping[str, object] | None = None,
) -> Iterator[Step]:
    """``udist gc`` for this process: each step as it is done, or without ``apply`` as it would be.

    ``config`` and ``environ`` are those of ``create_app``; ``grace`` is in seconds, at least a day's.
    ``untagged`` also removes manifests that no tag leads to; ``retention`` are policies as those of
    ``udist gc --retention``, a file or a mapping shaped like it, and take its place. Iterate
    to the end, or the run counts as killed. Raises ``ConfigurationError``, also if the store is read-only
    and ``apply`` is set, and ``StorageError`` before the first step if a link or manifest cannot be read.
    """
    from udist_plugin.config.files import read_document, read_file
    from udist_plugin.storage.collection.collect import collect
    from udist_plugin.storage.collection.retention import Policy, Retention
    from udist_plugin.storage.collection.retention_file import read_retention

    policies = Retention((Policy(untagged=True),) if untagged else ())
    if isinstance(retention, os.PathLike):
        policies = read_retention(read_document(os.fspath(retention)), os.fspath(retention))
    elif retention is not None:
        policies = read_retention(retention)

    given = read_file(os.fspath(config)) if isinstance(config, os.PathLike) else config
    configuration = load(given, _with_variables(os.environ, environ or {}), on_pipes=True).configuration
    if apply and configuration.storage.maintenance.readonly.enabled:
        raise ConfigurationError(
            "is true, so the store cannot be collected", key="storage.maintenance.readonly.enabled"
        )
    driver, sizes = _driver(configuration), sizes_of(configuration)
    try:
        driver.probe()
        sizes.start(_record)
        yield from collect(driver, apply=apply, grace=grace, retention=policies, forget=sizes.forget)
    finally:
        sizes.close()
        driver.close()


def build_service(
    path: str | None,
    configuration: str | None,
    variables: Mapping[str, str] | None,
    environ: Mapping[str, str],
    name: str = "",
    *,
    locked: bool = False,
) -> RegistryApp:
    """The plugin's registry, not yet started.

    ``path`` is the command line's file, ``environ`` the process's environment. ``configuration``, YAML text,
    and ``variables`` are the caller's; the latter replace all ``REGISTRY_*`` of the process. ``name`` is what
    the caller calls its configuration. If ``locked``, the file alone counts. Raises ``ConfigurationError``,
    also when the configuration comes from both sides, or from the caller of a locked plugin, and
    ``StorageError``.
    """
    if locked:
        return _locked(path, configuration, variables, environ)
    if path is not None and configuration is not None:
        raise ConfigurationError(
            "the caller sent a configuration too; expected one", source=f"--config {path}"
        )
    if variables is not None:
        environ = _with_variables(environ, variables)
    name = name or "the caller's configuration"
    return _configured(path, configuration, environ, name, on_pipes=True)


def _locked(
    path: str | None,
    configuration: str | None,
    variables: Mapping[str, str] | None,
    environ: Mapping[str, str],
) -> RegistryApp:
    """The registry of a file. The caller changes nothing of it, and neither do the process's variables, which
    may be the caller's."""
    if configuration is not None or variables is not None:
        raise ConfigurationError(
            "this plugin is locked (--locked): it takes no configuration and no variables from its caller; "
            "send neither"
        )
    app = _configured(path, None, _with_variables(environ, {}), "")
    if ignored := sorted(registry_variables(environ)):
        app.warnings = [*app.warnings, f"ignored, as the plugin is locked: {', '.join(ignored)}"]
    return app


def build_gateway(
    path: str | None,
    environ: Mapping[str, str],
    *,
    read_only: bool,
    guarded: bool = False,
    hear: Callable[[Occurrence], None] | None = None,
) -> RegistryApp:
    """The registry of ``udist exec``, not yet started.

    ``path`` is the command line's file, ``environ`` the process's environment. Clients find it at its own
    address: ``http.host`` and ``http.prefix``, which are another's, have no effect. ``guarded`` is for a
    gateway that relies on the configuration's access control, which has to be there then. ``hear`` is called
    with what happens, before the answer. Raises ``ConfigurationError`` and ``StorageError``.
    """

    def changed(configuration: Configuration) -> Configuration:
        if guarded and not configuration.guarded:
            raise ConfigurationError("expected access control, which --auth relies on", key="auth")
        http = configuration.http.changed(host="", prefix="/")
        maintenance = configuration.storage.maintenance
        if read_only:
            maintenance = maintenance.changed(readonly=maintenance.readonly.changed(enabled=True))
        storage = configuration.storage.changed(maintenance=maintenance)
        return configuration.changed(http=http, storage=storage)

    listeners = Listeners(hear=hear)
    return _configured(
        path, None, environ, "configuration", on_pipes=not guarded, changed=changed, listeners=listeners
    )


def _configured(
    path: str | None,
    config: str | Mapping[str, object] | None,
    environ: Mapping[str, str],
    name: str,
    *,
    on_pipes: bool = False,
    changed: Callable[[Configuration], Configuration] | None = None,
    listeners: Listeners = _NOBODY,
) -> RegistryApp:
    """As ``open_app``, of the configuration in the file ``path``, or else of ``config``, and ``changed``."""
    if path is not None:
        from udist_plugin.config.files import read_file

        config, name = read_file(path), path
    loaded = load(config, environ, config_name=name, on_pipes=on_pipes)
    if changed is not None:
        loaded = loaded.changed(configuration=changed(loaded.configuration))
    try:
        return open_app(loaded, listeners)
    except ConfigurationError as error:
        from udist_plugin.config.explaining import explain

        explained = explain(config, environ, config_name=name, on_pipes=on_pipes)
        raise ConfigurationError.of(explained.problems(error)) from error


def _with_variables(environ: Mapping[str, str], variables: Mapping[str, str]) -> dict[str, str]:
    """An environment whose ``REGISTRY_*`` are ``variables`` alone."""
    return {k: v for k, v in environ.items() if not k.startswith(PREFIX)} | {
        k: v for k, v in variables.items() if k.startswith(PREFIX)
    }


def open_app(loaded: Loaded, listeners: Listeners = _NOBODY) -> RegistryApp:
    """A configuration's registry, not yet started. Raises ``ConfigurationError`` and ``StorageError``."""
    configuration = loaded.configuration
    driver = _driver(configuration)
    driver.probe()
    warnings = [*loaded.warnings, *_prepare_guard(configuration)]

    def make_parts() -> Parts:
        return _parts(configuration, driver if driver.in_memory else _driver(configuration), listeners)

    parts = _parts(configuration, driver, listeners)
    return RegistryApp(configuration, parts, make_parts, warnings, loaded.notices)


def _driver(configuration: Configuration) -> StorageDriver:
    storage = configuration.storage
    return open_driver(storage.driver, storage.parameters, scratch=paths.SCRATCH)


def _parts(configuration: Configuration, driver: StorageDriver, listeners: Listeners) -> Parts:
    http = configuration.http
    sizes = sizes_of(configuration)
    measurements = _measurements(http.debug.prometheus)
    if measurements:
        from udist_plugin.drivers.timed import timed
        from udist_plugin.storage.sizes.counted import CountedSizes

        driver = timed(driver, measurements.storage_action(driver.name))
        if configuration.storage.cache.blobdescriptor:
            sizes = CountedSizes(sizes, measurements.cache_request, measurements.cache_errors.add)
    bridge = _bridge(configuration, listeners, measurements)

    def make_registry() -> Registry:
        registry = _registry(driver, configuration, sizes)
        if bridge:
            notifications = configuration.notifications
            references = notifications is not None and notifications.events.includereferences
            registry = _heard(registry, bridge.hear, references=references)
        return _heard(registry, listeners.hear, references=True) if listeners.hear else registry

    registry = LazyRegistry(make_registry)
    application = Application(
        registry.as_registry(),
        Options(
            http.host,
            http.prefix,
            http.headers,
            catalog_max=configuration.catalog.maxentries,
            tags_max=configuration.tags.maxtags,
            anonymous_mounts=not configuration.guarded,
        ),
    )
    answer: WSGI = bridge.wrap(application, application.base) if bridge else application
    extensions = configuration.udist.extensions
    if extensions.gc or extensions.leases:
        from udist_plugin.http_api.middleware.extension import Extension

        answer = Extension(
            answer,
            lambda: _store_extension(driver, registry.as_registry(), configuration, sizes),
            http.prefix,
            gc=extensions.gc,
            leases=extensions.leases,
        )
    answer = _guarded(answer, configuration, registry)
    health = _health(answer, configuration, driver)
    jobs: dict[str, Callable[[], Job | None]] = {
        "storage": lambda: driver,
        "storage.cache": lambda: sizes,
        "storage.maintenance.uploadpurging": lambda: _purging(driver, configuration.storage.maintenance),
        "health": lambda: health,
        "notifications": lambda: bridge.notifications if bridge else None,
    }

    def waits(context: Callable[[], AbstractContextManager[None]]) -> bool:
        return driver.wait_within(context) and sizes.local

    answer = health or answer
    if measurements:
        from udist_plugin.http_api.middleware.metrics import Metrics

        answer = Metrics(answer, measurements, http.debug.prometheus.path or "/metrics", http.prefix)
    return Parts(registry, application, answer, jobs, waits)


def _prepare_guard(configuration: Configuration) -> list[str]:
    if not configuration.guarded:
        return []
    from udist_plugin.guarding import prepare

    return prepare(configuration)


def _guarded(application: WSGI, configuration: Configuration, registry: LazyRegistry) -> WSGI:
    if not configuration.guarded:
        return application
    from udist_plugin.guarding import guard

    return guard(application, configuration, lambda name, tag: registry.load().resolve_manifest(name, tag))


def _store_extension(
    driver: StorageDriver, registry: Registry, configuration: Configuration, sizes: Sizes
) -> StoreExtension:
    from udist_plugin.storage.extension import StoreExtension

    read_only = configuration.storage.maintenance.readonly.enabled
    return StoreExtension(driver, registry, read_only=read_only, forget=sizes.forget)


def _measurements(settings: Prometheus) -> Measurements | None:
    if not settings.enabled:
        return None
    from importlib.util import find_spec

    if find_spec("prometheus_client") is None:
        raise ConfigurationError(
            "needs the package prometheus-client; pip install '.[metrics]' in a checkout of udist",
            key="http.debug.prometheus.enabled",
        )
    from udist_plugin.http_api.middleware.metrics import Measurements

    return Measurements()


def _bridge(
    configuration: Configuration, listeners: Listeners, measurements: Measurements | None
) -> Bridge | None:
    if listeners.on_event is None and configuration.notifications is None:
        return None
    from udist_plugin.notifications.opening import open_bridge

    meter = measurements.notifications if measurements else None
    return open_bridge(configuration, os.environ, listeners.on_event, meter)


def _heard(registry: Registry, hear: Callable[[Occurrence], None], *, references: bool) -> Registry:
    from udist_plugin.wrappers.notifying import NotifyingRegistry

    return NotifyingRegistry(registry, hear, references=references)


def _registry(driver: StorageDriver, configuration: Configuration, sizes: Sizes) -> Registry:
    from udist_plugin.storage.registry import StorageRegistry
    from udist_plugin.wrappers.validation import ValidatingRegistry

    storage = configuration.storage
    read_only = storage.maintenance.readonly.enabled
    registry: Registry = StorageRegistry(
        driver,
        save_referrers=not read_only,
        sizes=sizes,
        url_for=_url_for(driver, configuration),
        tag_lookups=storage.tag.concurrencylimit,
        referrers_tags=configuration.udist.referrers.tags,
    )
    registry = ValidatingRegistry(registry, _policy(configuration))
    if storage.delete.enabled and not read_only:
        return registry
    from udist_plugin.wrappers.read_only import NoDeleteRegistry, ReadOnlyRegistry

    return ReadOnlyRegistry(registry) if read_only else NoDeleteRegistry(registry)


def _url_for(driver: StorageDriver, configuration: Configuration) -> Callable[[str], str | None]:
    """Where content is fetched instead of here: the last ``redirect`` of the storage middleware says, or else
    the driver."""
    if configuration.storage.redirect.disable:
        return lambda _: None
    if configuration.middleware.storage:
        base = configuration.middleware.storage[-1].options.baseurl.rstrip("/")
        return lambda path: base + path
    return driver.url_for


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


def _purging(driver: StorageDriver, maintenance: Maintenance) -> Purging | None:
    purging = maintenance.uploadpurging
    if not purging.enabled or maintenance.readonly.enabled:
        return None
    from udist_plugin.storage.upkeep.schedule import Purging

    return Purging(driver, purging.age, purging.interval, dry_run=purging.dryrun)


def _policy(configuration: Configuration) -> Policy:
    """As in distribution, validation that is switched off still looks for a manifest's blobs. Unlike there,
    every URL is allowed while neither ``allow`` nor ``deny`` is set: a registry that conforms takes images
    whose layers are elsewhere."""
    from udist_plugin.wrappers.validation import Policy

    validation, references = configuration.validation, configuration.udist.validation.references
    manifests = validation.manifests
    if validation.disabled and not validation.enabled:
        return Policy(references=references, indexes=False)
    indexes, urls = manifests.indexes, manifests.urls
    platforms = indexes.platformlist if indexes.platforms == "list" else ()
    return Policy(
        references=references,
        indexes=indexes.platforms != "none",
        platforms=tuple((each.architecture, each.os) for each in platforms),
        allow=urls.allow,
        deny=urls.deny,
    )


def _health(application: WSGI, configuration: Configuration, driver: StorageDriver) -> Health | None:
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
