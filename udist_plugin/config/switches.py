"""What of a configuration asks for something: a section is off only by what distribution takes for that."""

from __future__ import annotations

from udist_plugin.config.nodes import Items, Node, Scalar, Table, is_null

YES = frozenset({"true", "yes", "on", "y"})


def asks(path: str, node: Node) -> bool:
    """Whether what stands at ``path``, a key that is not supported yet, asks for anything."""
    match path:
        case "proxy":
            return _says(node, "remoteurl")
    if isinstance(node, Items):
        return not all(map(is_disabled, node.items))
    return _says(node)


def is_disabled(node: Node) -> bool:
    """Whether ``disabled: true`` stands in an entry of a list."""
    switch = node.entries.get("disabled") if isinstance(node, Table) else None
    return isinstance(switch, Scalar) and _word(switch) in YES


def _says(node: Node | None, *names: str) -> bool:
    """Whether anything stands at ``names`` below ``node``; what has not the shape that belongs there is not
    nothing."""
    for name in names:
        if not isinstance(node, Table):
            return node is not None and not is_null(node)
        node = node.entries.get(name)
    if isinstance(node, Table):
        return any(_says(entry) for entry in node.entries.values())
    if isinstance(node, Items):
        return bool(node.items)
    return node is not None and node.text is not None and (node.text != "" or not names)


def _word(node: Scalar) -> str:
    return (node.text or "").lower()
