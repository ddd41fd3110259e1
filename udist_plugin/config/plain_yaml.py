"""YAML as most configurations are written, read without PyYAML: to import that takes a third of a start.

That is mappings and lists in blocks, or in brackets on one line, of names, plain scalars and quoted ones
without escapes. Whatever else stands in a text, an error included, is left to PyYAML as a whole.
"""

from __future__ import annotations

from udist_plugin.config.nodes import Items, Node, Scalar, Table
from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST: Final = 16 << 10
"""Characters; so there are fewer nodes than are allowed."""
LONGEST_NAME: Final = 1024
"""Characters of a key, as in YAML 1.1."""
DEEPEST: Final = 16

NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})

_LETTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
_IN_NAMES: Final = _LETTERS | frozenset("-./")
_IN_SCALARS: Final = _IN_NAMES | frozenset(" :@+=~%$")


class _Unfamiliar(Exception):
    """Something that this does not know."""


def read_plain(text: str, name: str, *, lines: bool) -> Node | None:
    """What ``parse_yaml`` makes of ``text``; ``None`` if that takes PyYAML."""
    if len(text) > LONGEST:
        return None
    try:
        return _Reader(_lines(text, name, lines=lines)).document()
    except _Unfamiliar:
        return None


class _Line:
    __slots__ = ("indent", "source", "text")

    def __init__(self, indent: int, text: str, source: str) -> None:
        self.indent = indent
        self.text = text
        self.source = source


def _lines(text: str, name: str, *, lines: bool) -> Iterator[_Line]:
    """Those that hold something, without their comments."""
    for number, line in enumerate(text.split("\n"), 1):
        if not line.isascii() or not line.isprintable():
            raise _Unfamiliar
        content = line.strip(" ")
        if " #" in content and not content.startswith("#"):
            if "'" in content or '"' in content:
                raise _Unfamiliar
            content = content.partition(" #")[0].rstrip(" ")
        if content and not content.startswith("#"):
            indent = len(line) - len(line.lstrip(" "))
            yield _Line(indent, content, f"{name}:{number}" if lines else name)


class _Reader:
    """``next`` is the first line that is not read yet."""

    def __init__(self, lines: Iterator[_Line]) -> None:
        self._lines = lines
        self.next = next(lines, None)

    def document(self) -> Node:
        first = self.next
        if first is None:
            raise _Unfamiliar
        node = self._block(first, first.source, 0)
        if self.next is not None:
            raise _Unfamiliar
        return node

    def _advance(self) -> None:
        self.next = next(self._lines, None)

    def _block(self, line: _Line, source: str, depth: int) -> Node:
        """What begins with ``line``, which is the next."""
        if depth > DEEPEST:
            raise _Unfamiliar
        read = self._items if line.text.startswith("- ") else self._table
        node = read(line.indent, source, depth)
        if self.next is not None and self.next.indent > line.indent:
            raise _Unfamiliar
        return node

    def _table(self, indent: int, source: str, depth: int) -> Table:
        entries: dict[str, Node] = {}
        while (line := self.next) is not None and line.indent == indent:
            name, value = _entry(line.text)
            if name in entries:
                raise _Unfamiliar
            self._advance()
            entries[name] = _inline(value, line.source) if value else self._below(line, depth + 1)
        return Table(entries, source)

    def _below(self, key: _Line, depth: int) -> Node:
        """The value of a key that ends its line."""
        line = self.next
        if line is None or line.indent < key.indent:
            return Scalar(None, key.source)
        if line.indent == key.indent and not line.text.startswith("- "):
            return Scalar(None, key.source)
        return self._block(line, key.source, depth)

    def _items(self, indent: int, source: str, depth: int) -> Items:
        items: list[Node] = []
        while (line := self.next) is not None and line.indent == indent and line.text.startswith("- "):
            text = line.text[2:].lstrip(" ")
            if _is_entry(text):  # a mapping that begins behind the dash
                line.indent += len(line.text) - len(text)
                line.text = text
                items.append(self._block(line, line.source, depth + 1))
            else:
                self._advance()
                items.append(_inline(text, line.source))
        return Items(items, source)


def _is_entry(text: str) -> bool:
    _, colon, value = text.partition(":")
    return bool(colon) and value[:1] in ("", " ") and not text.startswith(("{", "[", '"', "'"))


def _entry(text: str) -> tuple[str, str]:
    """A name, and what stands behind it."""
    name, colon, value = text.partition(":")
    if not colon or value[:1] not in ("", " ") or not _is_name(name):
        raise _Unfamiliar
    return name, value.strip(" ")


def _is_name(text: str) -> bool:
    if len(text) > LONGEST_NAME:
        return False
    return text[:1] in _LETTERS and _IN_NAMES.issuperset(text) and text not in NULLS


def _inline(text: str, source: str) -> Node:
    """A value within a line."""
    node, rest = _value(text, source, len(text), 0)
    if rest:
        raise _Unfamiliar
    return node


def _value(text: str, source: str, end: int, depth: int) -> tuple[Node, str]:
    """The value at the beginning of ``text``, and what follows it. A plain scalar goes up to ``end``."""
    if text.startswith(("{", "[")):
        return _brackets(text, source, depth + 1)
    quote = text[:1]
    if quote in ('"', "'"):
        content, closing, rest = text[1:].partition(quote)
        if not closing or "\\" in content or rest.startswith(quote):
            raise _Unfamiliar
        return Scalar(content, source), rest.lstrip(" ")
    scalar, rest = text[:end].rstrip(" "), text[end:]
    if scalar[:1] not in _LETTERS and not scalar.startswith(("/", "~")):
        raise _Unfamiliar
    if not _IN_SCALARS.issuperset(scalar) or ": " in scalar or scalar.endswith(":"):
        raise _Unfamiliar
    return Scalar(None if scalar in NULLS else scalar, source), rest


def _brackets(text: str, source: str, depth: int) -> tuple[Node, str]:
    """A mapping or list in brackets, and what follows it."""
    if depth > DEEPEST:
        raise _Unfamiliar
    entries: dict[str, Node] = {}
    items: list[Node] = []
    closing = "}" if text.startswith("{") else "]"
    rest = text[1:].lstrip(" ")
    while not rest.startswith(closing):
        name = ""
        if closing == "}":
            name, _, rest = rest.partition(": ")
            if name in entries or not _is_name(name):
                raise _Unfamiliar
            rest = rest.lstrip(" ")
        end = min((rest.index(mark) for mark in ",]}" if mark in rest), default=len(rest))
        value, rest = _value(rest, source, end, depth)
        if closing == "}":
            entries[name] = value
        else:
            items.append(value)
        rest = rest.lstrip(" ")
        if rest.startswith(","):
            rest = rest[1:].lstrip(" ")
            if not rest or rest.startswith(closing):
                raise _Unfamiliar
        elif not rest.startswith(closing):
            raise _Unfamiliar
    return (Table(entries, source) if closing == "}" else Items(items, source)), rest[1:].lstrip(" ")
