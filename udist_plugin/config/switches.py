"""What of a configuration asks for something: a section is off only by what distribution takes for that."""

from __future__ import annotations

from udist_plugin.config.nodes import Items, Node, Scalar, Table

YES = frozenset({"true", "yes", "on", "y"})


def asks(node: Node) -> bool:
    """Whether what stands at a key that is not supported yet asks for anything."""
    if isinstance(node, Items):
        return not all(map(is_disabled, node.items))
    return _says(node)


def is_disabled(node: Node) -> bool:
    """Whether ``disabled: true`` stands in an entry of a list."""
    switch = node.entries.get("disabled") if isinstance(node, Table) else None
    return isinstance(switch, Scalar) and _word(switch) in YES


def _says(node: Node) -> bool:
    """Whether anything stands at ``node`` or below it."""
    if isinstance(node, Table):
        return any(map(_says, node.entries.values()))
    if isinstance(node, Items):
        return bool(node.items)
    return node.text is not None


def _word(node: Scalar) -> str:
    return (node.text or "").lower()
