"""No class writes the private state of one that it extends: what a subclass may change has a method."""

from __future__ import annotations

import ast
from functools import cache

from tests.house.test_imports import sources


@cache
def classes() -> dict[str, tuple[str, ast.ClassDef]]:
    """Every class of ours by name, with its module; names that two modules give are left out."""
    found: dict[str, list[tuple[str, ast.ClassDef]]] = {}
    for module, path in sources().items():
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef):
                found.setdefault(node.name, []).append((module, node))
    return {name: each[0] for name, each in found.items() if len(each) == 1}


def written(node: ast.ClassDef) -> set[str]:
    """The private attributes of ``self`` that a class assigns."""
    return {
        each.attr
        for each in ast.walk(node)
        if isinstance(each, ast.Attribute)
        and isinstance(each.ctx, ast.Store)
        and isinstance(each.value, ast.Name)
        and each.value.id == "self"
        and each.attr.startswith("_")
    }


def above(node: ast.ClassDef) -> list[ast.ClassDef]:
    """The classes of ours that a class extends, in other modules."""
    names = [base.id for base in node.bases if isinstance(base, ast.Name) and base.id in classes()]
    found = [classes()[name][1] for name in names]
    return found + [each for base in found for each in above(base)]


def test_no_subclass_writes_what_its_base_keeps_to_itself() -> None:
    wrong = {
        f"{module}.{node.name}": sorted(shared)
        for module, node in classes().values()
        if (shared := {name for base in above(node) for name in written(node) & written(base)})
    }
    assert wrong == {}
