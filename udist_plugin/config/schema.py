"""The tree that the rows of keys make."""

from __future__ import annotations

from udist_plugin.keys import Key
from udist_plugin.kinds import Empty
from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable


class Section:
    """A mapping with known names; ``variables`` gives the names variables know its children by."""

    __slots__ = ("children", "variables")

    def __init__(self) -> None:
        self.children: dict[str, SchemaNode] = {}
        self.variables: dict[str, str] = {}


class Deferred:
    """A section whose rows are in a module that is imported when something stands there."""

    __slots__ = ("_section", "module")

    def __init__(self, module: str) -> None:
        self.module = module
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
    """Adds the section at ``path``, one or two names deep, or the list of such sections."""
    above, _, name = path.rpartition(".")
    section = root.children[above] if above else root
    assert isinstance(section, Section)
    deferred = Deferred(module)
    name, entries = name.removesuffix("[]"), name.endswith("[]")
    section.children[name] = Listing(deferred) if entries else deferred
    section.variables[name.upper()] = name


def _plant(section: Section, names: list[str], key: Key) -> None:
    name, below = names[0].removesuffix("[]"), names[1:]
    existing = section.children.get(name)
    child: SchemaNode
    if names[0].endswith("[]"):
        child = Listing(_grown(existing.item if isinstance(existing, Listing) else None, below, key))
    elif below and below[0] == "*[]":
        child = Entries(Listing(key))
    elif below and below[0] == "*":
        child = Entries(_grown(existing.item if isinstance(existing, Entries) else None, below[1:], key))
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
