"""What a file, a mapping and the environment have in common: nodes that know where they came from."""

from __future__ import annotations

from udist_plugin.errors import ConfigurationError
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MAX_DEPTH = 32
"""How deep mappings and lists may stand in one another; distribution's own nest six deep."""


class Scalar:
    """A value as text; its key's type, not its spelling, decides what it means. ``None`` is YAML's null."""

    __slots__ = ("source", "text")

    def __init__(self, text: str | None, source: str) -> None:
        self.text = text
        self.source = source


class Table:
    """A mapping."""

    __slots__ = ("entries", "source")

    def __init__(self, entries: Mapping[str, Node], source: str) -> None:
        self.entries = entries
        self.source = source


class Items:
    """A list."""

    __slots__ = ("items", "source")

    def __init__(self, items: Sequence[Node], source: str) -> None:
        self.items = items
        self.source = source


Node = Scalar | Table | Items


def is_null(node: Node) -> bool:
    return isinstance(node, Scalar) and node.text is None


def describe(node: Node) -> str:
    """What stands there, for "expected ..., not ...": never more than a few words of it."""
    import re

    if isinstance(node, Table):
        return "a mapping"
    if isinstance(node, Items):
        return "a list"
    if not node.text:
        return "nothing"
    from udist_plugin.redaction import MASK, without_query

    text = re.sub(r"(^|//)\S*@", rf"\1{MASK}@", node.text)  # a login may stand before an address
    text = without_query(text)
    return repr(text if len(text) <= 60 else text[:57] + "...")


def plain(node: Node) -> object:
    """The dict, list, text or ``None`` that stands there."""
    if isinstance(node, Table):
        return {name: plain(value) for name, value in node.entries.items()}
    if isinstance(node, Items):
        return [plain(item) for item in node.items]
    return node.text


def from_python(value: object, source: str, path: str = "") -> Node:
    """The node of a mapping, list, text, number, boolean or ``None``. Raises ``ConfigurationError``."""
    if path.count(".") > MAX_DEPTH:
        raise ConfigurationError(f"nested more than {MAX_DEPTH} levels deep", key=path, source=source)
    if isinstance(value, dict):
        entries = {
            str(k): from_python(v, source, f"{path}.{k}" if path else str(k)) for k, v in value.items()
        }
        return Table(entries, source)
    if isinstance(value, list | tuple):
        return Items([from_python(item, source, f"{path}.{i}") for i, item in enumerate(value)], source)
    if isinstance(value, bool):
        return Scalar(str(value).lower(), source)
    if value is None or isinstance(value, str):
        return Scalar(value, source)
    if isinstance(value, int | float) or hasattr(value, "__fspath__"):
        return Scalar(str(value), source)
    problem = f"expected text, a number, true, false, a list or a mapping, not a {type(value).__name__}"
    raise ConfigurationError(problem, key=path, source=source)
