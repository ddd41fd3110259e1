"""From a file's text, or a mapping, and variables to a ``Configuration``."""

from __future__ import annotations

from udist_plugin.config import model
from udist_plugin.config.aliases import rename
from udist_plugin.config.driver import DEFAULT_DRIVER, default_root, filled, find_driver, with_driver
from udist_plugin.config.keys import DEFERRED, schema
from udist_plugin.config.nodes import Node, Table, from_python, is_null
from udist_plugin.config.overlay import PREFIX, UnknownVariable, overlay, registry_variables
from udist_plugin.config.part import Part
from udist_plugin.config.reading import Reader
from udist_plugin.errors import ConfigurationError
from udist_plugin.typed import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

    from udist_plugin.config.schema import Section


_MODELS: dict[str, Any] = {
    "": model.Configuration,
    "log": model.Log,
    "log.accesslog": model.AccessLog,
    "storage": model.Storage,
    "storage.delete": model.Delete,
    "storage.redirect": model.Redirect,
    "storage.cache": model.Cache,
    "storage.tag": model.Tag,
    "storage.maintenance": model.Maintenance,
    "storage.maintenance.uploadpurging": model.UploadPurging,
    "storage.maintenance.readonly": model.ReadOnly,
    "middleware": model.Middleware,
    "middleware.storage[]": model.StorageMiddleware,
    "middleware.storage[].options": model.MiddlewareOptions,
    "auth": model.Auth,
    "catalog": model.Catalog,
    "tags": model.Tags,
    "http": model.Http,
    "http.debug": model.Debug,
    "http.debug.prometheus": model.Prometheus,
    "udist": model.Own,
    "udist.extensions": model.OwnExtensions,
    "udist.notifications": model.OwnNotifications,
    "udist.referrers": model.OwnReferrers,
    "udist.validation": model.OwnValidation,
    "validation": model.Validation,
    "validation.manifests": model.Manifests,
    "validation.manifests.urls": model.Urls,
    "validation.manifests.indexes": model.Indexes,
    "validation.manifests.indexes.platformlist[]": model.Platform,
}

_TYPED_LATER = (
    "health",
    "log.hooks[]",
    "middleware.registry[]",
    "middleware.repository[]",
    "notifications",
    "policy",
    "proxy",
    "redis",
    "auth.htpasswd",
    "auth.silly",
    "auth.token",
    "udist.accesscontrol",
    "udist.proxy",
)
"""Sections whose classes are in the module of their keys."""

_CHECKED = ("health", "notifications", "proxy", "redis")
"""Sections of whose keys some can be wrong together."""


class DriverSection(Part):
    """The storage ``driver``, and of its ``parameters`` those that could be read."""

    driver: str
    parameters: Mapping[str, object]


class Examined(Part):
    """All there is to say of a configuration, except what its driver says: ``warnings`` and ``notices`` are
    sentences for the log, of mistakes and of what has no effect here. ``configuration`` is ``None`` when
    there are errors, ``section`` when the driver that is named is not known, or is not the only one."""

    configuration: model.Configuration | None
    errors: list[ConfigurationError]
    warnings: list[str]
    notices: list[str]
    section: DriverSection | None


def examine(
    config: str | Mapping[str, object] | None,
    environ: Mapping[str, str],
    *,
    config_name: str = "configuration",
    reader: Reader | None = None,
) -> Examined:
    """Reads YAML text or a mapping (none: the defaults), and ``environ``'s ``REGISTRY_*`` variables over it.

    ``config_name`` is what errors call the text: a file's name. ``reader`` is one that listens, if any."""
    reader = reader or Reader()
    keys = schema()
    try:
        root = _root(config, config_name)
    except ConfigurationError as error:
        return Examined(None, [error], [], [], None)
    if not isinstance(root, Table):
        if not is_null(root):
            reader.wrong("expected a mapping, such as version: 0.1, not a list or plain text", "", root)
            return Examined(None, reader.errors, [], [], None)
        root = Table({}, root.source)
    if isinstance(config, str) and not _given(root, "version"):
        reader.wrong("expected the version of the format, version: 0.1", "version", root)
    variables = registry_variables(environ)
    if foreign := _service_variables(variables):
        reader.warnings.append(f"ignored, as Kubernetes sets them for a service: {', '.join(foreign)}")
        variables = {name: value for name, value in variables.items() if name not in foreign}
    root = _overlaid(with_driver(root), keys, variables, reader)
    configuration, section = _configuration(root, keys, reader, environ, given=config is not None)
    notices = list(reader.notices)
    if reader.without_effect:
        notices.append(f"no effect here: {', '.join(reader.without_effect)}")
    return Examined(configuration, reader.errors, reader.warnings, notices, section)


def _service_variables(variables: Mapping[str, str]) -> list[str]:
    """See ``services``, which needs no import where no name is of that kind."""
    if not any("_PORT" in name or "_SERVICE_" in name for name in variables):
        return []
    from udist_plugin.config.services import service_variables

    return service_variables(variables)


def _root(config: str | Mapping[str, object] | None, name: str) -> Node:
    if config is None:
        return Table({}, "default")
    if not isinstance(config, str):
        return from_python(dict(config), name)
    from udist_plugin.config.yaml_text import parse_yaml

    return parse_yaml(config, name)


def _overlaid(root: Node, keys: Section, variables: Mapping[str, str], reader: Reader) -> Node:
    for variable in sorted(variables):  # REGISTRY_STORAGE before REGISTRY_STORAGE_FILESYSTEM
        try:
            root = overlay(root, keys, variable, variables[variable])
        except ConfigurationError as error:
            reader.errors.append(error)
        except UnknownVariable:
            _unknown(variable, keys, reader)
    return root


def _unknown(variable: str, keys: Section, reader: Reader) -> None:
    """Tells of a variable that names no key: one that was meant for the store is an error."""
    from udist_plugin.config.nearest import nearest, nearest_variable

    name = variable.removeprefix(PREFIX)
    near = nearest_variable(keys, name)
    hint = f"; did you mean {PREFIX}{near}?" if near else ""
    if nearest(name.partition("_")[0], ["STORAGE"], 0.8):
        reader.errors.append(ConfigurationError(f"names no known key{hint}", source=variable))
    else:
        reader.warnings.append(f"{variable}: names no known key, ignored{hint}")


def _configuration(
    root: Node, keys: Section, reader: Reader, environ: Mapping[str, str], *, given: bool
) -> tuple[model.Configuration | None, DriverSection | None]:
    root = rename(root, reader.warnings.append)
    assert isinstance(root, Table)
    entries = dict(root.entries)
    if "auth" in entries:
        from udist_plugin.config.auth import read_auth

        entries["auth"] = read_auth(entries["auth"], reader)
    driver, foreign, entries["storage"] = find_driver(root, keys, reader, given=given or "storage" in entries)
    values: Any = reader.section(keys, Table(entries, root.source), "")
    others = (
        values["storage"]["cache"]["blobdescriptor"],
        values["log"]["hooks"],
        values["middleware"]["storage"],
        values["http"]["debug"]["prometheus"]["enabled"],
        values["udist"]["proxy"],
    )
    if any(others) or any(values[name] for name in _CHECKED):
        from udist_plugin.config.together import check

        check(values, entries, reader)
    section = _driver_section(driver, foreign, values, reader, environ)
    if reader.errors or section is None:
        return None, section
    values["storage"].update(driver=driver, parameters=section.parameters)
    configuration = cast("model.Configuration", _typed(values, "", _models(values)))
    if reader.on_pipes and configuration.guarded:
        from udist_plugin.config.auth import without_guard

        configuration = without_guard(configuration, entries, reader)
    return configuration, section


def _driver_section(
    driver: str,
    foreign: dict[str, Any] | None,
    values: Mapping[str, Any],
    reader: Reader,
    environ: Mapping[str, str],
) -> DriverSection | None:
    """``foreign`` are the parameters of a driver from elsewhere."""
    if any(error.key in ("storage", f"storage.{driver}") for error in reader.errors):
        return None
    if foreign is not None:
        return DriverSection(driver, foreign)
    parameters = filled({**values["storage"][driver], **(values["udist"].get(driver) or {})})
    if driver == DEFAULT_DRIVER:
        parameters.setdefault("rootdirectory", default_root(environ))
    return DriverSection(driver, parameters)


def _given(section: Node | None, name: str) -> bool:
    return isinstance(section, Table) and name in section.entries and not is_null(section.entries[name])


def _models(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """The classes by path, with those of the sections that are there."""
    models = _MODELS
    for path in _TYPED_LATER:
        above, _, name = path.removesuffix("[]").rpartition(".")
        if (values[above] if above else values)[name] not in (None, ()):
            from importlib import import_module

            module = import_module(DEFERRED[path])
            models = models | {f"{path}.{below}".rstrip("."): part for below, part in module.MODELS.items()}
    return models


def _typed(value: Any, path: str, models: Mapping[str, Any]) -> Any:
    """The values of a section as its class of ``model``, which leaves out what has no effect."""
    if isinstance(value, tuple):
        return tuple(_typed(item, f"{path}[]", models) for item in value)
    if isinstance(value, dict) and f"{path}.*" in models:
        return {name: _typed(item, f"{path}.*", models) for name, item in value.items()}
    if path not in models or value is None:
        return value
    fields = models[path].__annotations__
    return models[path](*(_typed(value[name], f"{path}.{name}" if path else name, models) for name in fields))
