"""Exact versions of everything stand in ``pyproject.toml``, fit what it asks for, and are installed."""

from __future__ import annotations

import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

from tests.house.generate import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterable

PYPROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
CONSTRAINTS = [Requirement(line) for line in PYPROJECT["tool"]["uv"]["constraint-dependencies"]]
EXACT = {canonicalize_name(each.name): str(each.specifier).removeprefix("==") for each in CONSTRAINTS}


def direct() -> list[Requirement]:
    project = PYPROJECT["project"]
    lines = list(project["dependencies"])
    for extra in project["optional-dependencies"].values():
        lines += extra
    return [Requirement(line) for line in lines + PYPROJECT["dependency-groups"]["dev"]]


def closure(requirements: Iterable[Requirement]) -> dict[NormalizedName, str]:
    """Name and version of all that is installed for ``requirements``."""
    found: dict[NormalizedName, str] = {}
    waiting = [(each, "") for each in requirements]
    while waiting:
        requirement, extra = waiting.pop()
        name = canonicalize_name(requirement.name)
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": extra}):
            continue
        known = name in found
        try:
            installed = distribution(name)
        except PackageNotFoundError:
            continue  # for another platform
        found[name] = installed.version
        below = [Requirement(line) for line in installed.requires or []]
        extras = sorted(requirement.extras)
        waiting += [(each, wanted) for each in below for wanted in (extras if known else ["", *extras])]
    return found


def test_constraints_are_exact_and_name_no_address() -> None:
    assert all(
        len(each.specifier) == 1 and next(iter(each.specifier)).operator == "==" for each in CONSTRAINTS
    )
    assert all(each.url is None for each in CONSTRAINTS)


def test_every_direct_dependency_is_held_within_what_it_asks_for() -> None:
    for requirement in direct():
        version = EXACT[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), f"{requirement} is held at {version}"


def test_nothing_is_installed_in_another_version() -> None:
    found = closure(direct())
    assert set(found) <= set(EXACT), "pulled in by a dependency, and not held"
    assert {name: version for name, version in found.items() if EXACT[name] != version} == {}
