"""No class writes the private state of one that it extends: what a subclass may change has a method."""

from __future__ import annotations

import ast
from functools import cache
from typing import NamedTuple

from tests.house.test_imports import sources


class Class(NamedTuple):
    """One of ours, by its module and name."""

    module: str
    name: str


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(sources()[module].read_text())


@cache
def classes() -> dict[Class, ast.ClassDef]:
    return {
        Class(module, node.name): node
        for module in sources()
        for node in tree(module).body
        if isinstance(node, ast.ClassDef)
    }


def named(module: str, name: str) -> Class:
    """What a name at the top of a module stands for."""
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    return Class(node.module or "", alias.name)
    return Class(module, name)


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


def above(found: Class) -> list[Class]:
    """The classes of ours that one extends, in other modules."""
    bases = [named(found.module, each.id) for each in classes()[found].bases if isinstance(each, ast.Name)]
    ours = [each for each in bases if each in classes() and each != found]
    return [each for each in ours if each.module != found.module] + [
        further for each in ours for further in above(each)
    ]


def test_no_subclass_writes_what_its_base_keeps_to_itself() -> None:
    wrong = {
        found: sorted(shared)
        for found, node in classes().items()
        if (shared := {name for base in above(found) for name in written(node) & written(classes()[base])})
    }
    assert wrong == {}
