"""What a registry consists of, and what requests go through."""

from __future__ import annotations

import os

from udist_plugin.bootstrap.store import sizes_of
from udist_plugin.errors import ConfigurationError
from udist_plugin.http_api.app import Application
from udist_plugin.http_api.options import Options
from udist_plugin.lazy_registry import LazyRegistry
from udist_plugin.service import Parts
from udist_plugin.typed import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from udist_plugin.config import Configuration
    from udist_plugin.config.model import Maintenance, Prometheus
    from udist_plugin.drivers.base import StorageDriver
    from udist_plugin.http_api.middleware.health import Health
    from udist_plugin.http_api.middleware.metrics import Measurements
    from udist_plugin.mail import Mailer
    from udist_plugin.notifications.bridge import Bridge
    from udist_plugin.proxy.opening import Proxy
    from udist_plugin.registry import Registry
    from udist_plugin.service import WSGI, Job
    from udist_plugin.storage.extension import StoreExtension
    from udist_plugin.storage.sizes.sizes import Sizes
    from udist_plugin.storage.upkeep.schedule import Purging
    from udist_plugin.tracing import Tracing
    from udist_plugin.wrappers.notifying import Occurrence


class Listeners(NamedTuple):
    """Who else is told what happens: ``on_event`` of events, in a thread; ``hear`` before each answer, of
    a push with what the manifest refers to."""

    on_event: Callable[[dict[str, Any]], object] | None = None
    hear: Callable[[Occurrence], None] | None = None


NOBODY: Final = Listeners()


def parts_of(configuration: Configuration, driver: StorageDriver, listeners: Listeners) -> Parts:
    http = configuration.http
    measurements = _measurements(http.debug.prometheus)
    driver, sizes = _measured(driver, configuration, measurements)
    bridge = _bridge(configuration, listeners, measurements)
    proxy = _proxy(configuration, driver)

    def make_registry() -> Registry:
        from udist_plugin.bootstrap.registry import registry_of, wrapped

        registry = registry_of(driver, configuration, sizes, proxy)
        if bridge:
            notifications = configuration.notifications
            included = notifications is not None and notifications.events.includereferences
            registry = _heard(registry, bridge.hear, ("push", "pull") if included else ())
        if listeners.hear:
            registry = _heard(registry, listeners.hear, ("push",))
        return wrapped(registry, "middleware.repository", configuration.middleware.repository)

    registry = LazyRegistry(make_registry)
    middleware = configuration.middleware
    if middleware.registry or middleware.repository or middleware.storage:
        registry.load()  # what is wrong with them is an error of the start
    application = Application(registry.as_registry(), _options(configuration))
    answer: WSGI = bridge.wrap(application, application.base) if bridge else application
    answer = _extended(
        answer, configuration, lambda: _store_extension(driver, registry.as_registry(), configuration, sizes)
    )
    answer = _guarded(answer, configuration, registry)
    health = _health(answer, configuration, driver)
    answer = health or answer
    if measurements:
        from udist_plugin.http_api.middleware.metrics import Metrics

        answer = Metrics(answer, measurements, http.debug.prometheus.path or "/metrics", http.prefix)
    mailer = _mailer(configuration)
    if mailer:
        answer = mailer.wrap(answer)
    tracing = _tracing(http.draintimeout / 2)
    if tracing:
        answer = tracing.wrap(answer)
    jobs: dict[str, Callable[[], Job | None]] = {
        "log.hooks": lambda: mailer,
        "OTEL_TRACES_EXPORTER": lambda: tracing,
        "storage": lambda: driver,
        "storage.cache": lambda: sizes,
        "storage.maintenance.uploadpurging": lambda: _purging(driver, configuration.storage.maintenance),
        "health": lambda: health,
        "notifications": lambda: bridge.notifications if bridge else None,
        "proxy": lambda: proxy,
    }

    def waits(context: Callable[[], AbstractContextManager[None]]) -> bool:
        return driver.wait_within(context) and sizes.local and proxy is None

    watch = mailer.watch if mailer else lambda record: record
    return Parts(registry, application, answer, jobs, waits, watch)


def _measured(
    driver: StorageDriver, configuration: Configuration, measurements: Measurements | None
) -> tuple[StorageDriver, Sizes]:
    """The driver and where sizes are remembered, whose use is counted where that is wanted."""
    sizes = sizes_of(configuration)
    if measurements is None:
        return driver, sizes
    from udist_plugin.drivers.timed import timed
    from udist_plugin.storage.sizes.counted import CountedSizes

    driver = timed(driver, measurements.storage_action(driver.name))
    if configuration.storage.cache.blobdescriptor:
        sizes = CountedSizes(sizes, measurements.cache_request, measurements.cache_errors.add)
    return driver, sizes


def _options(configuration: Configuration) -> Options:
    http = configuration.http
    return Options(
        http.host,
        http.prefix,
        http.headers,
        catalog_max=configuration.catalog.maxentries,
        tags_max=configuration.tags.maxtags,
        anonymous_mounts=not configuration.guarded,
    )


def _extended(application: WSGI, configuration: Configuration, store: Callable[[], StoreExtension]) -> WSGI:
    extensions = configuration.udist.extensions
    if not (extensions.gc or extensions.leases):
        return application
    from udist_plugin.http_api.middleware.extension import Extension

    prefix = configuration.http.prefix
    return Extension(application, store, prefix, gc=extensions.gc, leases=extensions.leases)


def _guarded(application: WSGI, configuration: Configuration, registry: LazyRegistry) -> WSGI:
    if not configuration.guarded:
        return application
    from udist_plugin.bootstrap.guarding import guard

    return guard(application, configuration, lambda name, tag: registry.load().resolve_manifest(name, tag))


def _store_extension(
    driver: StorageDriver, registry: Registry, configuration: Configuration, sizes: Sizes
) -> StoreExtension:
    from udist_plugin.storage.extension import StoreExtension

    read_only = configuration.storage.maintenance.readonly.enabled
    return StoreExtension(driver, registry, read_only=read_only, forget=sizes.forget)


def _health(application: WSGI, configuration: Configuration, driver: StorageDriver) -> Health | None:
    if not configuration.health:
        return None
    from udist_plugin.bootstrap.health import health_of

    return health_of(application, configuration.health, driver)


def _purging(driver: StorageDriver, maintenance: Maintenance) -> Purging | None:
    purging = maintenance.uploadpurging
    if not purging.enabled or maintenance.readonly.enabled:
        return None
    from udist_plugin.storage.upkeep.schedule import Purging

    return Purging(driver, purging.age, purging.interval, dry_run=purging.dryrun)


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


def _mailer(configuration: Configuration) -> Mailer | None:
    if not configuration.log.hooks:
        return None
    from udist_plugin.mail import open_mailer

    # Requests may have used the other half already.
    return open_mailer(configuration.log, configuration.http.draintimeout / 2)


def _tracing(drain: float) -> Tracing | None:
    exporter = os.environ.get("OTEL_TRACES_EXPORTER", "").strip()
    if exporter in ("", "none") or os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return None
    from importlib.util import find_spec

    if find_spec("opentelemetry") is None or find_spec("opentelemetry.sdk") is None:
        raise ConfigurationError(
            "needs the package opentelemetry-sdk; pip install '.[otel]' in a checkout of udist",
            source="OTEL_TRACES_EXPORTER",
        )
    from udist_plugin.tracing import open_tracing

    return open_tracing(os.environ, drain)


def _proxy(configuration: Configuration, driver: StorageDriver) -> Proxy | None:
    main, own = configuration.proxy, configuration.udist.proxy
    if not (main and main.remoteurl) and not (own and own.upstreams):
        return None
    from udist_plugin.proxy.opening import Proxy

    return Proxy(configuration, driver, os.environ)


def _heard(registry: Registry, hear: Callable[[Occurrence], None], references: Sequence[str]) -> Registry:
    from udist_plugin.wrappers.notifying import NotifyingRegistry

    return NotifyingRegistry(registry, hear, references)
