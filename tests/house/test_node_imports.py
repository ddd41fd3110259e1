"""The files of ``clients/node`` import one another in no circle, imports of types included."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

import pytest

from tests.house.generate import REPOSITORY
from tests.house.test_imports import circles

if TYPE_CHECKING:
    from pathlib import Path

SOURCES = REPOSITORY / "clients" / "node" / "src"

FROM = re.compile(r"""^(?:import|export)\b[^;"']*?\bfrom\s*["']([^"']+)["']""", re.MULTILINE)
BARE = re.compile(r"""\bimport\s*\(?\s*["']([^"']+)["']""")
"""``import "x"`` and ``import("x")``, the latter also as a type."""


@cache
def sources() -> tuple[Path, ...]:
    """Every file of ours; generated code aside."""
    return tuple(path for path in sorted(SOURCES.rglob("*.ts")) if "generated" not in path.parts)


def imports(text: str) -> set[str]:
    return {*FROM.findall(text), *BARE.findall(text)}


def imported(path: Path) -> set[Path]:
    """The files of the package that ``path`` imports; each is named as what it compiles to."""
    return {
        (path.parent / module).resolve().with_suffix(".ts")
        for module in imports(path.read_text())
        if module.startswith(".")
    }


def test_files_form_no_circle() -> None:
    graph = {str(path): {str(each) for each in imported(path)} & {*map(str, sources())} for path in sources()}
    assert circles(graph) == set()


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(SOURCES)))
def test_imports_name_files_that_are_there(path: Path) -> None:
    """Else the test above would not see them."""
    assert {each for each in imported(path) if not each.is_file()} == set()


@pytest.mark.parametrize(
    "statement",
    [
        'import { a } from "./a.js";',
        'import type { A } from "./a.js";',
        'import {\n  a,\n  type B,\n} from "./a.js";',
        'import * as a from "./a.js";',
        "import a from './a.js';",
        'export * from "./a.js";',
        'export type { A } from "./a.js";',
        'import "./a.js";',
        'const a = await import("./a.js");',
        'let a: import("./a.js").A;',
    ],
)
def test_every_kind_of_import_counts(statement: str) -> None:
    assert imports(f'import "./first.js";\n{statement}\nconst b = "./b.js";\n') == {"./first.js", "./a.js"}
