"""Which access control a configuration names: one type, and fail closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from udist_plugin.config.nodes import Node, Scalar, Table, is_null

if TYPE_CHECKING:
    from collections.abc import Mapping

    from udist_plugin.config.model import Configuration
    from udist_plugin.config.reading import Reader

TYPES: Final = ("htpasswd", "silly", "token")
_UNGUARDED: Final = "there is no listener to guard, and whoever starts the plugin can read the store itself"


def read_auth(auth: Node, reader: Reader) -> Node:
    """The section ``auth`` as a mapping of one type to its parameters; empty without access control.

    As in distribution a type may be named without parameters (``auth: htpasswd``), and ``none`` is one.
    """
    if is_null(auth) or (isinstance(auth, Scalar) and not auth.text):
        return Table({}, auth.source)
    if isinstance(auth, Scalar):
        auth = Table({auth.text or "": Table({}, auth.source)}, auth.source)
    if not isinstance(auth, Table):
        return auth  # the reader says what was expected
    named = {name: node for name, node in auth.entries.items() if name.lower() not in ("", "none")}
    if len(auth.entries) > 1:
        both = ", ".join(f"{name} ({node.source})" for name, node in auth.entries.items())
        reader.wrong(f"expected one type of access control, not {both}", "auth", auth)
    for name, node in named.items():
        if name not in TYPES:
            reader.wrong(_unknown(name), "auth", node)
    return Table({name: _mapping(node) for name, node in named.items() if name in TYPES}, auth.source)


def without_guard(
    configuration: Configuration, sections: Mapping[str, Node], reader: Reader
) -> Configuration:
    """``configuration`` for where the caller's pipes alone lead to the registry; ``reader`` notes what has no
    effect there. ``sections`` are where it is from."""
    given = any(configuration.auth.__dict__.values())
    path, section = ("auth", "auth") if given else ("udist.accesscontrol", "udist")
    reader.notices.append(f"{path} ({sections[section].source}): no effect here; {_UNGUARDED}")
    return configuration.without_guard()


def _mapping(parameters: Node) -> Node:
    """A type without parameters is still a type: nothing less than access control is meant."""
    return Table({}, parameters.source) if is_null(parameters) else parameters


def _unknown(name: str) -> str:
    from udist_plugin.config.nearest import nearest

    near = nearest(name, TYPES)
    hint = f"; did you mean {near}?" if near else ""
    return f"expected one of {', '.join(TYPES)} or none, not {name!r}{hint}"
