"""How keys are described, and the tree that their rows make.

A path names a key as in YAML; ``[]`` behind a name stands for the entries of a list, ``*`` for any name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from udist_plugin.config.kinds import Empty, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable


WORKS: Final = "works"
NO_EFFECT: Final = "no effect"
"""Accepted and named once in the log: there is nothing here for it to act on."""
NO_LISTENER: Final = "no effect without a listener"
"""The same, of what a server listens with."""
UNSUPPORTED: Final = "not supported yet"
"""An error, unless the value asks for nothing: the default, or what ``switches`` knows as off."""


class Required:
    """The default of a key that has none: its section is an error without it."""


REQUIRED: Final = Required()


class Key(NamedTuple):
    """A row: where, of what type, worth what when absent, for what, and whether it works."""

    path: str
    kind: Kind
    default: object
    effect: str
    status: str = WORKS


class Section:
    """A mapping with known names; ``variables`` gives the names variables know its children by."""

    __slots__ = ("children", "variables")

    def __init__(self) -> None:
        self.children: dict[str, SchemaNode] = {}
        self.variables: dict[str, str] = {}


class Deferred:
    """A section whose rows are in a module of ``keys`` that is imported when something stands there."""

    __slots__ = ("_section", "module")

    def __init__(self, module: str) -> None:
        self.module = f"udist_plugin.config.keys.{module}"
        self._section: Section | None = None

    def section(self) -> Section:
        if self._section is None:
            from importlib import import_module

            keys = import_module(self.module)
            self._section = tree(keys.KEYS)
            self._section.variables |= getattr(keys, "VARIABLES", {})
        return self._section


class Entries:
    """A mapping with names of the user's choice."""

    __slots__ = ("item",)

    def __init__(self, item: SchemaNode) -> None:
        self.item = item


class Listing:
    """A list."""

    __slots__ = ("item",)

    def __init__(self, item: SchemaNode) -> None:
        self.item = item


SchemaNode = Section | Deferred | Entries | Listing | Key

STORAGE_SETTINGS: Final = frozenset({"cache", "delete", "maintenance", "redirect", "tag"})
"""What stands under ``storage`` and is no driver."""


def tree(keys: Iterable[Key]) -> Section:
    """The rows as a tree."""
    root = Section()
    for key in keys:
        _plant(root, key.path.split("."), key)
    return root


def plant_deferred(root: Section, path: str, module: str) -> None:
    """Adds the section at ``path``, one or two names deep."""
    above, _, name = path.rpartition(".")
    section = root.children[above] if above else root
    assert isinstance(section, Section)
    section.children[name] = Deferred(module)
    section.variables[name.upper()] = name


def _plant(section: Section, names: list[str], key: Key) -> None:
    name, below = names[0].removesuffix("[]"), names[1:]
    existing = section.children.get(name)
    child: SchemaNode
    if names[0].endswith("[]"):
        child = Listing(_grown(existing.item if isinstance(existing, Listing) else None, below, key))
    elif below and below[0].removesuffix("[]") == "*":
        child = Entries(Listing(key) if below[0] == "*[]" else key)
    else:
        child = _grown(existing, below, key)
    section.children[name] = child
    section.variables[name.upper()] = name


def _grown(node: SchemaNode | None, below: list[str], key: Key) -> SchemaNode:
    if not below:
        return Section() if isinstance(key.kind, Empty) else key
    section = node if isinstance(node, Section) else Section()
    _plant(section, below, key)
    return section
