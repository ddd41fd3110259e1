"""From a file's text, or a mapping, and variables to a ``Configuration``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

from udist_plugin.config import model
from udist_plugin.config.folders import default_root
from udist_plugin.config.nodes import Node, Scalar, Table, from_python, is_null
from udist_plugin.config.overlay import PREFIX, UnknownVariable, choose_driver, overlay, registry_environment
from udist_plugin.config.reading import Reader, nearest
from udist_plugin.config.schema import KEYS, STORAGE_SETTINGS, SchemaNode, Section, tree
from udist_plugin.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping


DEFAULT_DRIVER = "filesystem"

_MODELS: dict[str, Any] = {
    "": model.Configuration,
    "log": model.Log,
    "storage": model.Storage,
    "storage.delete": model.Delete,
    "storage.maintenance": model.Maintenance,
    "storage.maintenance.uploadpurging": model.UploadPurging,
    "storage.maintenance.readonly": model.ReadOnly,
    "http": model.Http,
    "validation": model.Validation,
    "validation.manifests": model.Manifests,
    "validation.manifests.urls": model.Urls,
    "validation.manifests.indexes": model.Indexes,
    "validation.manifests.indexes.platformlist[]": model.Platform,
}


class Loaded(NamedTuple):
    """``warnings`` and ``notices`` are sentences for the log: mistakes, and what has no effect here."""

    configuration: model.Configuration
    warnings: list[str]
    notices: list[str]


class Examined(NamedTuple):
    """All there is to say of a configuration; ``configuration`` is ``None`` when there are errors."""

    configuration: model.Configuration | None
    errors: list[ConfigurationError]
    warnings: list[str]
    notices: list[str]


def load(
    source: str | Mapping[str, object] | None,
    environ: Mapping[str, str],
    *,
    source_name: str = "configuration",
) -> Loaded:
    """The configuration of YAML text or a mapping (none: the defaults), overlaid by ``REGISTRY_*`` variables.

    ``source_name`` is what errors call the text, a file's name. Raises ``ConfigurationError``, the first of
    those ``examine`` lists.
    """
    examined = examine(source, environ, source_name=source_name)
    if examined.configuration is None:
        raise examined.errors[0]
    return Loaded(examined.configuration, examined.warnings, examined.notices)


def examine(
    source: str | Mapping[str, object] | None,
    environ: Mapping[str, str],
    *,
    source_name: str = "configuration",
) -> Examined:
    """As ``load``, with every error instead of the first."""
    reader = Reader()
    schema = tree()
    try:
        root = _root(source, source_name)
    except ConfigurationError as error:
        return Examined(None, [error], [], [])
    if isinstance(source, str) and not _given(root, "version"):
        reader.wrong("expected the version of the format, version: 0.1", "version", root)
    root = _overlaid(root, schema, registry_environment(environ), reader)
    configuration = _configuration(root, schema, reader)
    notices = []
    if reader.without_effect:
        notices.append(f"no effect here: {', '.join(reader.without_effect)}")
    return Examined(None if reader.errors else configuration, reader.errors, reader.warnings, notices)


def _root(source: str | Mapping[str, object] | None, name: str) -> Node:
    if source is None:
        return Table({}, "default")
    if not isinstance(source, str):
        return from_python(dict(source), name)
    from udist_plugin.config.yaml_text import parse_yaml

    return parse_yaml(source, name)


def _overlaid(root: Node, schema: Section, variables: Mapping[str, str], reader: Reader) -> Node:
    for variable in sorted(variables):  # REGISTRY_STORAGE before REGISTRY_STORAGE_FILESYSTEM
        try:
            root = overlay(root, schema, variable, variables[variable])
        except ConfigurationError as error:
            reader.errors.append(error)
        except UnknownVariable:
            known = [PREFIX + key.path.replace(".", "_").upper() for key in KEYS]
            near = nearest(variable, known)
            hint = f"; did you mean {near}?" if near else ""
            reader.warnings.append(f"{variable}: names no known key, ignored{hint}")
    return root


def _configuration(root: Node, schema: Section, reader: Reader) -> model.Configuration | None:
    entries = dict(root.entries) if isinstance(root, Table) else {}
    driver, entries["storage"] = _driver(entries.get("storage"), schema.children["storage"], reader)
    values: Any = reader.section(schema, Table(entries, root.source) if isinstance(root, Table) else root, "")
    if reader.errors:
        return None
    if values["loglevel"] is not None and not _given(entries.get("log"), "level"):
        values["log"]["level"] = values["loglevel"]
    parameters = values["storage"][driver]
    if driver == "filesystem" and parameters["rootdirectory"] is None:
        parameters["rootdirectory"] = default_root()
    values["storage"].update(driver=driver, parameters=parameters)
    return cast("model.Configuration", _typed(values, ""))


def _driver(storage: Node | None, schema: SchemaNode, reader: Reader) -> tuple[str, Node]:
    """The driver that is named, the default if none is, and the section without what cannot be read."""
    if isinstance(storage, Scalar) and storage.text is not None:
        storage = choose_driver(None, storage)
    if not isinstance(storage, Table):
        return DEFAULT_DRIVER, storage or Table({}, "default")
    assert isinstance(schema, Section)
    named = [name for name in storage.entries if name not in STORAGE_SETTINGS]
    supported = [name for name, node in schema.children.items() if isinstance(node, Section)]
    supported = [name for name in supported if name not in STORAGE_SETTINGS]
    rest = {k: v for k, v in storage.entries.items() if k in STORAGE_SETTINGS or k in supported}
    if len(named) > 1:
        both = ", ".join(f"{name} ({storage.entries[name].source})" for name in named)
        reader.wrong(f"expected one storage driver, not {both}", "storage", storage)
    elif named and named[0] not in supported:
        known = named[0] in schema.children
        problem = "not supported yet" if known else f"unknown storage driver {named[0]!r}"
        expected = ", ".join(supported)
        path = f"storage.{named[0]}" if known else "storage"
        reader.wrong(f"{problem}; expected one of {expected}", path, storage.entries[named[0]])
    return named[0] if named else DEFAULT_DRIVER, Table(rest, storage.source)


def _given(section: Node | None, name: str) -> bool:
    return isinstance(section, Table) and name in section.entries and not is_null(section.entries[name])


def _typed(value: Any, path: str) -> Any:
    """The values of a section as its class of ``model``, which leaves out what has no effect."""
    if isinstance(value, tuple):
        return tuple(_typed(item, f"{path}[]") for item in value)
    if path not in _MODELS:
        return value
    fields = _MODELS[path].__annotations__
    return _MODELS[path](*(_typed(value[name], f"{path}.{name}" if path else name) for name in fields))
