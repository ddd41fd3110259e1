"""What of a configuration is switched off: only what distribution takes for that."""

from __future__ import annotations

from udist_plugin.config.nodes import Node, Scalar, Table

YES = frozenset({"true", "yes", "on", "y"})


def is_disabled(node: Node) -> bool:
    """Whether ``disabled: true`` stands in an entry of a list."""
    switch = node.entries.get("disabled") if isinstance(node, Table) else None
    return isinstance(switch, Scalar) and (switch.text or "").lower() in YES
