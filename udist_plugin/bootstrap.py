"""The composition root: from a configuration to a registry behind a WSGI application."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from udist_plugin.config import Configuration, Loaded, load, registry_environment
from udist_plugin.errors import ConfigurationError
from udist_plugin.http_api.app import Application
from udist_plugin.http_api.settings import Settings
from udist_plugin.storage.drivers import open_driver
from udist_plugin.storage.registry import StorageRegistry
from udist_plugin.wrappers.read_only import NoDeleteRegistry, ReadOnlyRegistry
from udist_plugin.wrappers.validation import Policy, ValidatingRegistry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from udist_plugin.config.model import Validation
    from udist_plugin.registry import Registry

    Record = Callable[[str, str], object]
    """Takes a level (debug, info, warn, error) and a message for the log."""

MAX_FILE = 1 << 20
"""Bytes of a configuration file."""


class RegistryApp:
    """A registry at work: a WSGI application (PEP 3333), and what runs beside requests.

    Close it, or use it as a context manager. ``drain_timeout`` is in seconds.
    """

    def __init__(self, loaded: Loaded) -> None:
        configuration = loaded.configuration
        http = configuration.http
        self.configuration = configuration
        self.log_level = configuration.log.level
        self.drain_timeout = http.draintimeout
        self.registry = _registry(configuration)
        self.application = Application(self.registry, Settings(http.host, http.prefix, http.headers))
        self._messages = [("warn", text) for text in loaded.warnings]
        self._messages += [("info", text) for text in loaded.notices]

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        return self.application(environ, start_response)

    def start(self, record: Record) -> None:
        """Logs what there is to say of the configuration, and starts what runs beside requests."""
        for level, message in self._messages:
            record(level, message)

    def close(self) -> None:
        """Ends what runs beside requests; twice is once."""

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
    that go over it; the process's own are not looked at. Logs go to ``logging``'s logger ``udist_plugin``.
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


def _registry(configuration: Configuration) -> Registry:
    storage = configuration.storage
    read_only = storage.maintenance.readonly.enabled
    driver = open_driver(storage.driver, storage.parameters)
    registry: Registry = StorageRegistry(driver, save_referrers=not read_only)
    registry = ValidatingRegistry(registry, _policy(configuration.validation))
    if read_only:
        return ReadOnlyRegistry(registry)
    return registry if storage.delete.enabled else NoDeleteRegistry(registry)


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


def _record(level: str, message: str) -> None:
    import logging

    logging.getLogger("udist_plugin").log(logging.getLevelNamesMapping()[level.upper()], "%s", message)
