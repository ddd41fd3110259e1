"""Which storage driver a configuration names, and what it says of it."""

from __future__ import annotations

import os
import sys

from udist_plugin.config.nodes import Node, Scalar, Table, is_null, plain
from udist_plugin.config.overlay import choose_driver
from udist_plugin.config.schema import STORAGE_SETTINGS, Deferred, Section
from udist_plugin.keys import REQUIRED
from udist_plugin.typed import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

    from udist_plugin.config.reading import Reader

DEFAULT_DRIVER: Final = "filesystem"
BY_FSSPEC: Final = ("ftp", "hdfs", "sftp", "smb", "ssh", "webdav")
"""Protocols that one may take for drivers: fsspec speaks them."""
ENTRY_POINTS: Final = "udist_plugin.storage_drivers"
"""The group in which others announce their drivers; ``storage.drivers`` loads them."""


def with_driver(root: Node) -> Node:
    """``root`` with a driver that is only named, as ``storage: filesystem``, as one without parameters."""
    storage = root.entries.get("storage") if isinstance(root, Table) else None
    if not isinstance(root, Table) or not isinstance(storage, Scalar) or storage.text is None:
        return root
    return Table({**root.entries, "storage": choose_driver(None, storage)}, root.source)


def find_driver(
    root: Table, keys: Section, reader: Reader, *, given: bool
) -> tuple[str, dict[str, Any] | None, Node]:
    """The driver that ``root``, the configuration, names; the parameters of one from elsewhere; and the
    section ``storage`` without what cannot be read.

    The default driver serves where nothing is ``given``: anything else that names none is an error.
    """
    storage = root.entries.get("storage")
    if storage is None or is_null(storage):
        storage = Table({}, (storage or root).source)
    elif not isinstance(storage, Table):
        return DEFAULT_DRIVER, None, storage
    schema = keys.children["storage"]
    assert isinstance(schema, Section)
    drivers = _drivers(schema)
    section = {k: v for k, v in storage.entries.items() if k in STORAGE_SETTINGS or k in drivers}
    foreign = None
    named = _named(storage, schema, reader)
    if named:
        reader.chosen(named[0], storage.entries[named[0]].source)
    match named:
        case [] if given:
            reader.wrong(_none_named(root, keys, drivers), "storage", storage)
        case []:
            pass
        case [name] if name in drivers:
            section[name] = _mapping(storage.entries[name])
        case [name]:
            foreign = _foreign(name, storage.entries[name], drivers, reader)
        case _:
            both = ", ".join(f"{name} ({storage.entries[name].source})" for name in named)
            reader.wrong(f"expected one storage driver, not {both}", "storage", storage)
    return (named or [DEFAULT_DRIVER])[0], foreign, Table(section, storage.source)


def _drivers(schema: Section) -> list[str]:
    """Those of this package, by the names they are shown under."""
    drivers = [name for name, node in schema.children.items() if isinstance(node, Section | Deferred)]
    return [name for name in drivers if name not in STORAGE_SETTINGS and name != "s3aws"]


def _named(storage: Table, schema: Section, reader: Reader) -> list[str]:
    """The drivers that ``storage`` names. Beside a known one, a name that no driver has is a misspelt key."""
    named = [name for name in storage.entries if name not in STORAGE_SETTINGS]
    known = [name for name in named if name in schema.children]
    if not known or known == named:
        return named
    others = _announced()
    for name in named:
        if name not in known and name not in others:
            reader.unknown(name, storage.entries[name], schema, "storage")
    return [name for name in named if name in known or name in others]


def _none_named(root: Table, keys: Section, drivers: list[str]) -> str:
    """The problem of a configuration without a driver, with what may have been meant for one."""
    from udist_plugin.config.nearest import nearest

    problem = f"no storage driver is named; expected one of {', '.join(drivers)}"
    for name, node in root.entries.items():
        near = None if name in keys.children else nearest(name, ["storage", *drivers])
        if near:
            meant = near if near == "storage" else f"storage.{near}"
            return f"{problem}; did you mean {meant} instead of {name} ({node.source})?"
    return problem


def _mapping(parameters: Node) -> Node:
    """The parameters of a driver that is named, though nothing else may be said of it."""
    return Table({}, parameters.source) if is_null(parameters) else parameters


def _foreign(name: str, parameters: Node, drivers: list[str], reader: Reader) -> dict[str, Any] | None:
    """The parameters, as text, of a driver that another package announces."""
    others = _announced()
    if name in others:
        return cast("dict[str, Any]", plain(parameters)) if isinstance(parameters, Table) else {}
    from udist_plugin.config.nearest import nearest

    there = [*drivers, *sorted(others)]
    near = nearest(name, [*there, *STORAGE_SETTINGS])
    hint = f"; did you mean storage.{near}?" if near else ""
    if name in BY_FSSPEC:
        hint = f"; use storage.fsspec with a url that begins with {name}://"
    problem = f"unknown storage driver {name!r}; expected one of {', '.join(there)}{hint}"
    reader.wrong(problem, "storage", parameters)
    return None


def _announced() -> frozenset[str]:
    """The drivers of other packages."""
    from importlib.metadata import entry_points

    return frozenset(entry_points(group=ENTRY_POINTS).names)


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
