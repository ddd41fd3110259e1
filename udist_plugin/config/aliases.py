"""Keys by their older names: they are moved to their newer ones before anything is read, source and all."""

from __future__ import annotations

from udist_plugin.config.nodes import Items, Node, Scalar, Table, is_null
from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

ALIASES: Final = (
    ("loglevel", "log.level"),
    ("storage.s3aws", "storage.s3"),
    ("storage.cache.layerinfo", "storage.cache.blobdescriptor"),
    ("storage.azure.spn.client_id", "storage.azure.credentials.clientid"),
    ("storage.azure.spn.tenant_id", "storage.azure.credentials.tenantid"),
    ("storage.azure.spn.client_secret", "storage.azure.credentials.secret"),
    ("storage.s3.profile", "udist.s3.profile"),
    ("storage.s3.cafile", "udist.s3.cafile"),
    ("validation.manifests.references", "udist.validation.references"),
    ("redis.addr", "redis.addrs[]"),
    ("redis.pool.maxactive", "redis.poolsize"),
    ("redis.pool.maxidle", "redis.maxidleconns"),
    ("redis.pool.idletimeout", "redis.connmaxidletime"),
)

EMPTY_IS_NONE: Final = frozenset({"redis.addr", "storage.cache.layerinfo"})
"""Those that name nothing in distribution when their text is empty."""


def rename(root: Node, warn: Callable[[str], object]) -> Node:
    """``root`` by the newer names; where both stand the newer goes first, which ``warn`` is told."""
    for old, new in ALIASES:
        node = _get(root, old.split("."))
        if node is None or is_null(node):
            continue
        if old in EMPTY_IS_NONE and isinstance(node, Scalar) and not node.text:
            root = _put(root, old.split("."), None)
            continue
        target = new.removesuffix("[]").split(".")
        other = _get(root, target)
        if other is None or is_null(other):
            root = _put(root, target, Items([node], node.source) if new.endswith("[]") else node)
        elif old == "storage.s3aws":
            continue  # then two drivers are named
        else:
            warn(
                f"{old} ({node.source}): {'.'.join(target)} ({other.source}) is also set and takes precedence"
            )
        root = _put(root, old.split("."), None)
    return root


def _get(node: Node | None, names: list[str]) -> Node | None:
    for name in names:
        node = node.entries.get(name) if isinstance(node, Table) else None
    return node


def _put(node: Node | None, names: list[str], value: Node | None) -> Node:
    """``node`` with ``value`` at ``names``, or without what is there; no mapping stays as it is."""
    if node is not None and not isinstance(node, Table) and not is_null(node):
        return node
    name, below = names[0], names[1:]
    entries = dict(node.entries) if isinstance(node, Table) else {}
    child = _put(entries.get(name), below, value) if below else value
    if child is None:
        del entries[name]
    else:
        entries[name] = child
    return Table(entries, node.source if node is not None else child.source if child else "")
