"""The registries of plugins and of ``udist exec``, not yet started, and what all registries begin with."""

from __future__ import annotations

from udist_plugin.bootstrap.parts import NOBODY, Listeners, parts_of
from udist_plugin.bootstrap.store import driver_of
from udist_plugin.config import Loaded, load
from udist_plugin.config.overlay import PREFIX, registry_variables
from udist_plugin.errors import ConfigurationError
from udist_plugin.service import Parts, RegistryApp
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from udist_plugin.config import Configuration
    from udist_plugin.wrappers.notifying import Occurrence


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
        environ = with_variables(environ, variables)
    name = name or "the caller's configuration"
    return configured(path, configuration, environ, name, on_pipes=True)


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
    app = configured(path, None, with_variables(environ, {}), "")
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
    return configured(
        path, None, environ, "configuration", on_pipes=not guarded, changed=changed, listeners=listeners
    )


def configured(
    path: str | None,
    config: str | Mapping[str, object] | None,
    environ: Mapping[str, str],
    name: str,
    *,
    on_pipes: bool = False,
    changed: Callable[[Configuration], Configuration] | None = None,
    listeners: Listeners = NOBODY,
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


def with_variables(environ: Mapping[str, str], variables: Mapping[str, str]) -> dict[str, str]:
    """An environment whose ``REGISTRY_*`` are ``variables`` alone."""
    return {k: v for k, v in environ.items() if not k.startswith(PREFIX)} | {
        k: v for k, v in variables.items() if k.startswith(PREFIX)
    }


def open_app(loaded: Loaded, listeners: Listeners = NOBODY) -> RegistryApp:
    """A configuration's registry, not yet started. Raises ``ConfigurationError`` and ``StorageError``."""
    configuration = loaded.configuration
    driver = driver_of(configuration)
    driver.probe()
    warnings = [*loaded.warnings, *_prepare_guard(configuration)]

    def make_parts() -> Parts:
        return parts_of(configuration, driver if driver.in_memory else driver_of(configuration), listeners)

    parts = parts_of(configuration, driver, listeners)
    return RegistryApp(configuration, parts, make_parts, warnings, loaded.notices)


def _prepare_guard(configuration: Configuration) -> list[str]:
    if not configuration.guarded:
        return []
    from udist_plugin.bootstrap.guarding import prepare

    return prepare(configuration)
