"""The registry in a store, and what keeps wrong content out of it."""

from __future__ import annotations

from udist_plugin.bootstrap.store import url_for
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from udist_plugin.config import Configuration
    from udist_plugin.config.keys.middleware import Middleware
    from udist_plugin.drivers.base import StorageDriver
    from udist_plugin.proxy.opening import Proxy
    from udist_plugin.registry import Registry
    from udist_plugin.storage.sizes.sizes import Sizes
    from udist_plugin.wrappers.validation import Policy


def registry_of(
    driver: StorageDriver, configuration: Configuration, sizes: Sizes, proxy: Proxy | None = None
) -> Registry:
    store = _store(driver, configuration, sizes)
    registry = _guarded(store, configuration)
    return proxy.wrap(registry, store) if proxy else registry


def _store(driver: StorageDriver, configuration: Configuration, sizes: Sizes) -> Registry:
    from udist_plugin.storage.registry import StorageRegistry

    storage = configuration.storage
    return StorageRegistry(
        driver,
        save_referrers=not storage.maintenance.readonly.enabled,
        sizes=sizes,
        url_for=url_for(driver, configuration),
        tag_lookups=storage.tag.concurrencylimit,
        referrers_tags=configuration.udist.referrers.tags,
    )


def _guarded(store: Registry, configuration: Configuration) -> Registry:
    from udist_plugin.wrappers.validation import ValidatingRegistry

    storage = configuration.storage
    read_only = storage.maintenance.readonly.enabled
    registry: Registry = ValidatingRegistry(store, _policy(configuration))
    if configuration.policy and configuration.policy.repository.classes:
        from udist_plugin.wrappers.classes import ClassRegistry

        registry = ClassRegistry(registry, configuration.policy.repository.classes)
    registry = wrapped(registry, "middleware.registry", configuration.middleware.registry)
    if storage.delete.enabled and not read_only:
        return registry
    from udist_plugin.wrappers.read_only import NoDeleteRegistry, ReadOnlyRegistry

    return ReadOnlyRegistry(registry) if read_only else NoDeleteRegistry(registry)


def wrapped(registry: Registry, section: str, middleware: Sequence[Middleware]) -> Registry:
    """``registry`` in what other packages put around it, as ``section`` says."""
    if not middleware:
        return registry
    from udist_plugin.middleware import wrap

    return wrap(registry, section, middleware)


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
