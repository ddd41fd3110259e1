"""``REGISTRY_*`` variables over a file's nodes, by distribution's rules.

``REGISTRY_A_B_0`` is the first entry of the list ``a.b``. Known keys are matched first and longest first, so
that a name with an underscore is one name; a key of text takes a variable's value as it stands, every other
key and whole sections take YAML.
"""

from __future__ import annotations

from udist_plugin.config.nodes import MAX_DEPTH, Items, Node, Scalar, Table
from udist_plugin.config.schema import STORAGE_SETTINGS, Deferred, Entries, Listing, SchemaNode, Section
from udist_plugin.errors import ConfigurationError
from udist_plugin.keys import Key
from udist_plugin.kinds import Anything, Text
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "REGISTRY_"
FOREIGN = frozenset({"REGISTRY_AUTH_FILE"})
"""Variables of other programs: podman's and skopeo's credentials."""

Step = str | int


class UnknownVariable(Exception):
    """No key goes by the variable's name."""


def registry_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables of ``environ`` that are meant for a registry."""
    return {k: v for k, v in environ.items() if k.startswith(PREFIX) and k not in FOREIGN}


def overlay(root: Node, schema: Section, variable: str, value: str) -> Node:
    """``root`` with the key that ``variable`` names set to ``value``.

    Raises ``UnknownVariable``, and ``ConfigurationError`` for a value that is not YAML where it must be or
    an index beyond the list's end. ``root`` stays as it was.
    """
    name = variable.removeprefix(PREFIX)
    if not name or name.endswith("_"):
        raise UnknownVariable
    steps, target = _resolve(schema, root, name)
    path = ".".join(map(str, steps))
    if isinstance(target, Key) and isinstance(target.kind, Text):
        node: Node = Scalar(value, variable)
    else:
        node = _parse(value, variable, path)
    if path == "storage" and isinstance(node, Scalar):
        node = choose_driver(_child(root, "storage"), node)
    return _set(root, steps, node, path)


def _parse(value: str, variable: str, path: str) -> Node:
    import re

    if re.fullmatch(r"[\w./+][\w./+-]*", value):  # one plain word needs no YAML
        return Scalar(value, variable)
    from udist_plugin.config.yaml_text import parse_yaml

    try:
        return parse_yaml(value, variable, lines=False)
    except ConfigurationError as error:
        raise ConfigurationError(error.problem, key=path, source=variable) from None


def choose_driver(storage: Node | None, name: Scalar) -> Table:
    """``storage: s3`` and ``REGISTRY_STORAGE=s3`` choose the driver, and leave the settings beside it.

    In distribution the variable drops them all.
    """
    entries = storage.entries if isinstance(storage, Table) else {}
    kept = {k: v for k, v in entries.items() if k in STORAGE_SETTINGS or k == name.text}
    if name.text:
        kept.setdefault(name.text, Table({}, name.source))
    return Table(kept, name.source)


def _resolve(schema: SchemaNode, node: Node | None, rest: str) -> tuple[list[Step], SchemaNode]:
    import re

    if not rest:
        return [], schema
    if isinstance(schema, Deferred):
        schema = schema.section()
    if isinstance(schema, Section):
        for name in sorted(schema.variables, key=len, reverse=True):
            if rest == name or rest.startswith(f"{name}_"):
                child = schema.variables[name]
                try:
                    steps, target = _resolve(
                        schema.children[child], _child(node, child), rest[len(name) + 1 :]
                    )
                except UnknownVariable:
                    continue
                return [child, *steps], target
        raise UnknownVariable
    if isinstance(schema, Listing):
        index, _, below = rest.partition("_")
        if not re.fullmatch("[0-9]{1,6}", index):
            raise UnknownVariable
        steps, target = _resolve(schema.item, _child(node, int(index)), below)
        return [int(index), *steps], target
    if isinstance(schema, Entries):
        return _resolve_entry(schema, node, rest)
    if isinstance(schema.kind, Anything):
        return _resolve_freely(node, rest), schema
    raise UnknownVariable


def _resolve_entry(schema: Entries, node: Node | None, rest: str) -> tuple[list[Step], SchemaNode]:
    """A name of the user's choice is all that is left, but for the index of a list below it."""
    import re

    match = re.fullmatch(r"(.+)_([0-9]{1,6})", rest) if isinstance(schema.item, Listing) else None
    name = _spelling(node, match[1] if match else rest)
    if match and isinstance(schema.item, Listing):
        return [name, int(match[2])], schema.item.item
    return [name], schema.item


def _resolve_freely(node: Node | None, rest: str) -> list[Step]:
    """Below what is not read here: a step for each underscore, as distribution goes."""
    steps: list[Step] = []
    for word in rest.split("_")[:MAX_DEPTH]:
        step = int(word) if isinstance(node, Items) and word.isdecimal() else _spelling(node, word)
        node = _child(node, step)
        steps.append(step)
    return steps


def _spelling(node: Node | None, name: str) -> str:
    """The name as it is spelled in ``node`` already, else in lower case."""
    names = node.entries if isinstance(node, Table) else ()
    return next((known for known in names if known.upper() == name.upper()), name.lower())


def _child(node: Node | None, step: Step) -> Node | None:
    if isinstance(node, Table):
        return node.entries.get(str(step))
    if isinstance(node, Items) and isinstance(step, int) and step < len(node.items):
        return node.items[step]
    return None


def _set(node: Node | None, steps: list[Step], value: Node, path: str) -> Node:
    if not steps:
        return value
    step, below = steps[0], steps[1:]
    child = _set(_child(node, step), below, value, path)
    if isinstance(step, str):
        if isinstance(node, Table):
            return Table({**node.entries, step: child}, node.source)
        return Table({step: child}, value.source)
    items = list(node.items) if isinstance(node, Items) else []
    if step > len(items):
        problem = f"expected an index from 0 to {len(items)}, the end of the list"
        raise ConfigurationError(problem, key=path, source=value.source)
    items[step : step + 1] = [child]
    return Items(items, node.source if isinstance(node, Items) else value.source)
