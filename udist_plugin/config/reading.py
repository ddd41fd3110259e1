"""Nodes to values, by the schema; every problem is collected, none stops the reading."""

from __future__ import annotations

from udist_plugin.config.nodes import Items, Node, Scalar, Table, describe, is_null
from udist_plugin.config.schema import Deferred, Entries, Listing, SchemaNode, Section
from udist_plugin.errors import ConfigurationError
from udist_plugin.keys import NO_EFFECT, NO_LISTENER, REQUIRED, WORKS, Key
from udist_plugin.kinds import Anything, Secret

_FIELD_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"

_OF_CONNECTIONS = frozenset(
    ("connection", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade")
)
"""Fields about a connection (RFC 9110, section 7.6.1) never travel."""


class Reader:
    """Reads nodes; ``errors``, ``warnings``, ``notices`` and ``without_effect`` (path and source) fill as it
    goes. ``on_pipes`` is whether nothing but the caller's pipes leads to the registry."""

    def __init__(self, *, on_pipes: bool = False) -> None:
        self.errors: list[ConfigurationError] = []
        self.warnings: list[str] = []
        self.notices: list[str] = []
        self.without_effect: list[str] = []
        self.on_pipes = on_pipes

    def read(self, schema: SchemaNode, node: Node | None, path: str, above: str = "") -> object:
        """The value at ``path``: a dict for a section, a tuple for a list; defaults where nothing stands.

        ``above`` is the source of the section around it, for what is missing there.
        """
        if isinstance(schema, Key):
            return self._key(schema, node, path, above)
        if isinstance(schema, Section):
            return self.section(schema, node, path, above)
        if isinstance(schema, Deferred):
            return None if node is None or is_null(node) else self.section(schema.section(), node, path)
        if isinstance(schema, Listing):
            return self._listing(schema, node, path)
        return self._entries(schema, node, path)

    def section(self, schema: Section, node: Node | None, path: str, above: str = "") -> dict[str, object]:
        """The values of a section that have an effect here, by name."""
        entries = self._table(schema, node, path)
        source = node.source if node is not None else above
        for name, value in entries.items():
            if name not in schema.children:
                self.unknown(name, value, schema, path)
        values = {
            name: self.read(child, entries.get(name), f"{path}.{name}" if path else name, source)
            for name, child in schema.children.items()
        }
        return {name: value for name, value in values.items() if _has_effect(schema.children[name])}

    def chosen(self, driver: str, source: str) -> None:
        """Hears which storage driver is named, and where."""

    def wrong(self, problem: str, path: str, node: Node) -> None:
        self.errors.append(ConfigurationError(problem, key=path, source=node.source))

    def unknown(self, name: str, node: Node, schema: Section, path: str) -> None:
        """Tells of ``name``, which is no key of the section at ``path``."""
        from udist_plugin.config.nearest import nearest

        above = f"{path}." if path else ""
        near = nearest(name, schema.children)
        hint = f"; did you mean {above}{near}?" if near else ""
        if path.partition(".")[0] == "storage":  # content would end up in another store, or be kept otherwise
            self.wrong(f"unknown key{hint}", f"{above}{name}", node)
        else:
            self.warnings.append(f"{above}{name} ({node.source}): unknown key, ignored{hint}")

    def _table(self, schema: Section | Entries, node: Node | None, path: str) -> dict[str, Node]:
        if node is None or is_null(node):
            return {}
        if isinstance(node, Table):
            return dict(node.entries)
        self.wrong(f"expected a mapping, not {_found(schema, node)}", path, node)
        return {}

    def _listing(self, schema: Listing, node: Node | None, path: str) -> tuple[object, ...]:
        if node is None or is_null(node):
            return ()
        if isinstance(node, Items):
            return tuple(
                self.read(schema.item, item, f"{path}.{i}", item.source)
                for i, item in enumerate(node.items)
                if not (_has_switch(schema.item) and _is_off(item))
            )
        self.wrong(f"expected a list, not {_found(schema, node)}", path, node)
        return ()

    def _entries(self, schema: Entries, node: Node | None, path: str) -> dict[str, object]:
        entries = self._table(schema, node, path)
        if entries and isinstance(schema.item, Listing):  # in distribution's these are always fields of HTTP
            self._check_fields(entries, path)
        return {name: self.read(schema.item, value, f"{path}.{name}") for name, value in entries.items()}

    def _check_fields(self, entries: dict[str, Node], path: str) -> None:
        import re

        for name, node in entries.items():
            if re.fullmatch(_FIELD_NAME, name) is None:
                self.wrong(f"expected a field name (RFC 9110, section 5.1), not {name!r}", path, node)
            elif name.lower() == "content-length":
                self.wrong(f"expected a field that responses do not set themselves, not {name!r}", path, node)
            elif name.lower() in _OF_CONNECTIONS:
                self.without_effect.append(f"{path}.{name} ({node.source})")

    def _key(self, key: Key, node: Node | None, path: str, above: str) -> object:
        if node is None or is_null(node):
            if key.default is REQUIRED:
                self.wrong(
                    f"expected {key.kind.expected}, but found nothing", path, node or Scalar(None, above)
                )
            return key.default
        value = node if isinstance(key.kind, Anything) else self._parsed(key, node, path)
        if key.status in (NO_EFFECT, NO_LISTENER):
            self.without_effect.append(f"{path} ({node.source})")
        return value

    def _parsed(self, key: Key, node: Node, path: str) -> object:
        reason = ""
        if isinstance(node, Scalar):
            try:
                return key.kind.parse(node.text or "")
            except ValueError as error:
                reason = f" ({error})" if error.args else ""
        self.wrong(f"expected {key.kind.expected}, not {_found(key, node)}{reason}", path, node)
        return key.default


def _found(schema: SchemaNode, node: Node) -> str:
    """What stands there in a few words; none of text where a secret, or a section with one, is expected."""
    return "what stands there" if isinstance(node, Scalar) and _holds_secrets(schema) else describe(node)


def _holds_secrets(schema: SchemaNode) -> bool:
    if isinstance(schema, Key):
        return isinstance(schema.kind, Secret)
    if isinstance(schema, Deferred):
        return _holds_secrets(schema.section())
    below = schema.children.values() if isinstance(schema, Section) else [schema.item]
    return any(map(_holds_secrets, below))


def _has_switch(schema: SchemaNode) -> bool:
    if isinstance(schema, Deferred):
        schema = schema.section()
    return isinstance(schema, Section) and "disabled" in schema.children


def _is_off(item: Node) -> bool:
    from udist_plugin.config.switches import is_disabled

    return is_disabled(item)


def _has_effect(schema: SchemaNode) -> bool:
    return not isinstance(schema, Key) or schema.status is WORKS
