"""YAML text to nodes, from the parser's events: every node keeps its line, and nothing is constructed.

Aliases share the node they name instead of copying it, and count as all it holds, so that a few lines
cannot stand for millions of values. Errors leave out an alias's and a tag's name: it may be a secret that
nobody quoted.
"""

from __future__ import annotations

from udist_plugin.config.nodes import MAX_DEPTH, Items, Node, Scalar, Table
from udist_plugin.config.plain_yaml import NULLS, read_plain
from udist_plugin.errors import ConfigurationError
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import NoReturn

    from yaml.events import Event, NodeEvent, ScalarEvent

MAX_TEXT = 256 * 1024
"""Characters of a configuration; the parser takes about a second for so many."""
MAX_NODES = 20_000

_TAG = "tag:yaml.org,2002:"
_TAGS = frozenset(_TAG + name for name in ("str", "int", "float", "bool", "null", "map", "seq", "timestamp"))


def parse_yaml(text: str, name: str, *, lines: bool = True) -> Node:
    """The document in ``text``; ``name`` is the file's or variable's, for ``source`` and errors.

    Raises ``ConfigurationError``, naming the line.
    """
    if len(text) > MAX_TEXT:
        raise ConfigurationError(f"longer than {MAX_TEXT} characters", source=name)
    if (node := read_plain(text, name, lines=lines)) is not None:
        return node
    return parse_any(text, name, lines=lines)


def parse_any(text: str, name: str, *, lines: bool = True) -> Node:
    """``parse_yaml``, by PyYAML whatever ``text`` is."""
    import yaml

    try:
        return _Builder(yaml.parse(text, Loader=yaml.SafeLoader), name, lines=lines).document()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        source = f"{name}:{mark.line + 1}" if mark is not None and lines else name
        problem = getattr(error, "problem", None) or str(error).partition("\n")[0]
        if "tag handle" in problem:  # and which: the value's beginning
            problem = "an undefined tag; quote a value that begins with !"
        raise ConfigurationError(f"not YAML: {problem}", source=source) from None


class _Builder:
    def __init__(self, events: Iterator[Event], name: str, *, lines: bool) -> None:
        self._events = events
        self._name = name
        self._lines = lines
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._nodes = 0

    def document(self) -> Node:
        import yaml

        next(self._events)  # the stream's start
        if isinstance(event := next(self._events), yaml.StreamEndEvent):
            return Scalar(None, self._source(event))
        node = self._node(next(self._events), 0)
        next(self._events)  # the document's end
        if not isinstance(event := next(self._events), yaml.StreamEndEvent):
            self._refuse("expected one document, found another", event)
        return node

    def _node(self, event: Event, depth: int, source: str | None = None) -> Node:
        """``source`` is the key's: a mapping below it begins a line further down."""
        import yaml

        source = source or self._source(event)

        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        assert isinstance(event, yaml.NodeEvent)
        before = self._nodes
        self._count(1, event)
        if depth > MAX_DEPTH:
            self._refuse(f"nested more than {MAX_DEPTH} levels deep", event)
        tag = getattr(event, "tag", None)
        if tag is not None and tag not in _TAGS and tag != "!":
            self._refuse("expected plain YAML, found a tag; quote a value that begins with !", event)
        node: Node
        if isinstance(event, yaml.ScalarEvent):
            node = self._scalar(event, source)
        elif isinstance(event, yaml.MappingStartEvent):
            node = self._table(depth, source)
        else:
            node = self._items(depth, source)
        if event.anchor is not None:
            self._anchors[event.anchor] = node, self._nodes - before
        return node

    def _alias(self, event: NodeEvent) -> Node:
        if event.anchor not in self._anchors:
            self._refuse("an alias without an anchor; quote a value that begins with *", event)
        node, size = self._anchors[event.anchor]
        self._count(size, event)
        return node

    def _scalar(self, event: ScalarEvent, source: str) -> Scalar:
        null = event.style is None and event.value in NULLS and event.tag != f"{_TAG}str"
        return Scalar(None if null else event.value, source)

    def _items(self, depth: int, source: str) -> Items:
        import yaml

        items = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._node(event, depth + 1))
        return Items(items, source)

    def _table(self, depth: int, source: str) -> Table:
        import yaml

        entries: dict[str, Node] = {}
        merged: dict[str, Node] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._node(event, depth + 1)
            if not isinstance(key, Scalar):
                self._refuse("expected a name for a key", event)
            value = self._node(next(self._events), depth + 1, key.source)
            name = key.text or ""
            if name == "<<" and isinstance(event, yaml.ScalarEvent) and event.style is None:
                merged = {**self._merge(value, event), **merged}
            elif name in entries:
                self._refuse(f"the key {name!r} appears twice, first at {entries[name].source}", event)
            else:
                entries[name] = value
        return Table({**merged, **entries}, source)

    def _merge(self, value: Node, event: Event) -> dict[str, Node]:
        """What ``<<`` adds: of several mappings the first that has a key gives it."""
        merged: dict[str, Node] = {}
        for table in reversed(value.items) if isinstance(value, Items) else [value]:
            if not isinstance(table, Table):
                self._refuse("expected a mapping to merge", event)
            merged.update(table.entries)
        return merged

    def _count(self, nodes: int, event: Event) -> None:
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            self._refuse(f"more than {MAX_NODES} values", event)

    def _source(self, event: Event) -> str:
        mark = event.start_mark
        return f"{self._name}:{mark.line + 1}" if self._lines and mark is not None else self._name

    def _refuse(self, problem: str, event: Event) -> NoReturn:
        raise ConfigurationError(problem, source=self._source(event))
