"""Which storage driver a configuration names, and what it says of it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Final, cast

from udist_plugin.config.nodes import Node, Scalar, Table, is_null, plain
from udist_plugin.config.overlay import choose_driver
from udist_plugin.config.schema import STORAGE_SETTINGS, Deferred, SchemaNode, Section
from udist_plugin.keys import REQUIRED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from udist_plugin.config.reading import Reader

DEFAULT_DRIVER: Final = "filesystem"
ENTRY_POINTS: Final = "udist_plugin.storage_drivers"
"""The group in which others announce their drivers; ``storage.drivers`` loads them."""


def with_driver(root: Node) -> Node:
    """``root`` with a driver that is only named, as ``storage: filesystem``, as one without parameters."""
    storage = root.entries.get("storage") if isinstance(root, Table) else None
    if not isinstance(root, Table) or not isinstance(storage, Scalar) or storage.text is None:
        return root
    return Table({**root.entries, "storage": choose_driver(None, storage)}, root.source)


def find_driver(
    storage: Node | None, schema: SchemaNode, reader: Reader
) -> tuple[str, dict[str, Any] | None, Node]:
    """The driver that is named, the default if none is; the parameters of one from elsewhere; and the section
    without what cannot be read."""
    if not isinstance(storage, Table):
        return DEFAULT_DRIVER, None, storage or Table({}, "default")
    assert isinstance(schema, Section)
    drivers = [name for name, node in schema.children.items() if isinstance(node, Section | Deferred)]
    drivers = [name for name in drivers if name not in STORAGE_SETTINGS and name != "s3aws"]
    section = {k: v for k, v in storage.entries.items() if k in STORAGE_SETTINGS or k in drivers}
    foreign = None
    named = [name for name in storage.entries if name not in STORAGE_SETTINGS]
    if named:
        reader.chosen(named[0], storage.entries[named[0]].source)
    match named:
        case []:
            named = [DEFAULT_DRIVER]
        case [name] if name in drivers:
            section[name] = _named(storage.entries[name])
        case [name]:
            foreign = _foreign(name, storage.entries[name], drivers, name in schema.children, reader)
        case _:
            both = ", ".join(f"{name} ({storage.entries[name].source})" for name in named)
            reader.wrong(f"expected one storage driver, not {both}", "storage", storage)
    return named[0], foreign, Table(section, storage.source)


def _named(parameters: Node) -> Node:
    """The parameters of a driver that is named, though nothing else may be said of it."""
    return Table({}, parameters.source) if is_null(parameters) else parameters


def _foreign(
    name: str, parameters: Node, drivers: list[str], known: bool, reader: Reader
) -> dict[str, Any] | None:
    """The parameters, as text, of a driver that another package announces."""
    from importlib.metadata import entry_points

    others = entry_points(group=ENTRY_POINTS)
    if name in others.names:
        return cast("dict[str, Any]", plain(parameters)) if isinstance(parameters, Table) else {}
    problem = "not supported yet" if known else f"unknown storage driver {name!r}"
    path = f"storage.{name}" if known else "storage"
    reader.wrong(
        f"{problem}; expected one of {', '.join([*drivers, *sorted(others.names)])}", path, parameters
    )
    return None


def filled(values: Mapping[str, Any]) -> dict[str, Any]:
    """A driver's parameters without those that are not set, or are missing."""
    found = {k: filled(v) if isinstance(v, dict) else v for k, v in values.items()}
    return {k: v for k, v in found.items() if v not in (None, "", {}, REQUIRED)}


def default_root(environ: Mapping[str, str]) -> str:
    """The store's folder inside the user's data folder."""
    if sys.platform != "linux":
        import platformdirs

        return platformdirs.user_data_dir("udist", appauthor=False)
    # The XDG base directory specification's one rule; platformdirs, which follows it too, takes longer to
    # import than the plugin to start.
    data = environ.get("XDG_DATA_HOME", "").strip()
    if not os.path.isabs(data):
        data = f"{environ.get('HOME') or os.path.expanduser('~')}/.local/share"
    return os.path.join(data, "udist")
