"""Which mutants there are, and which of them a seed picks: one cosmic-ray session a room."""

from __future__ import annotations

import ast
import random
from typing import TYPE_CHECKING

from cosmic_ray.commands.init import init
from cosmic_ray.work_db import WorkDB
from cosmic_ray.work_item import TestOutcome, WorkerOutcome, WorkResult

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from cosmic_ray.work_item import MutationSpec, WorkItem

ROOMS = ["wire", "link", "http_api", "storage"]
LEFT_OUT = {"wire/generated", "storage/sizes/redis.py", "storage/sizes/redis_client.py"}
"""Generated code, and what a Redis server's tests look after."""


class Sessions:
    """A room's session each, made on first use: what the seed did not pick is marked as skipped."""

    def __init__(self, work: Path, tree: Path, size: int, seed: int) -> None:
        self._files = {room: work / f"{room}-{size}-{seed}.sqlite" for room in ROOMS}
        if not all(file.exists() for file in self._files.values()):
            self._make(tree, size, seed)

    def of(self, room: str) -> WorkDB:
        return WorkDB(self._files[room], WorkDB.Mode.open)

    def _make(self, tree: Path, size: int, seed: int) -> None:
        choices = {}
        for room, file in self._files.items():
            file.unlink(missing_ok=True)
            session = WorkDB(file, WorkDB.Mode.create)
            init(modules(tree, room), session, {})
            choices[room] = session, *parted(session.work_items)
        whole = sum(len(real) for _, real, _ in choices.values())
        for session, real, unreal in choices.values():
            picked = random.Random(seed).sample(real, min(len(real), round(size * len(real) / whole)))
            ids = {item.job_id for item in picked}
            rest = [item.job_id for item in real + unreal if item.job_id not in ids]
            session.set_multiple_results(rest, WorkResult(worker_outcome=WorkerOutcome.SKIPPED))


def survivors(session: WorkDB) -> list[WorkItem]:
    return [
        item for item, result in session.completed_work_items if result.test_outcome == TestOutcome.SURVIVED
    ]


def modules(tree: Path, room: str) -> list[Path]:
    """A room's source files, in a fixed order, relative to the tree."""
    package = tree / "udist_plugin"
    found = sorted(file.relative_to(package) for file in (package / room).rglob("*.py"))
    return [package / file for file in found if not {str(file), str(file.parent)} & LEFT_OUT]


def parted(items: Iterable[WorkItem]) -> tuple[list[WorkItem], list[WorkItem]]:
    """Mutants that may be noticed, in a fixed order, and those in what does not run."""
    real: list[WorkItem] = []
    unreal: list[WorkItem] = []
    idle: dict[str, list[tuple[Position, Position]]] = {}
    for item in sorted(items, key=lambda item: order(item.mutations[0])):
        mutation = item.mutations[0]
        spans = idle.setdefault(str(mutation.module_path), list(what_never_runs(mutation.module_path)))
        inside = any(start <= mutation.start_pos < end for start, end in spans)
        (unreal if inside else real).append(item)
    return real, unreal


def order(mutation: MutationSpec) -> tuple[str, tuple[int, int], str, int]:
    return str(mutation.module_path), mutation.start_pos, mutation.operator_name, mutation.occurrence


Position = tuple[int, int]


def what_never_runs(module: Path) -> Iterator[tuple[Position, Position]]:
    """Annotations and imports for type checkers: a mutant in them changes nothing."""
    for node in ast.walk(ast.parse(module.read_text())):
        parts: list[ast.AST | None] = []
        if isinstance(node, ast.arg | ast.AnnAssign):
            parts = [node.annotation]
        elif isinstance(node, ast.FunctionDef):
            parts = [node.returns]
        elif isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            parts = [node]
        for part in parts:
            if isinstance(part, ast.expr | ast.stmt):
                assert part.end_lineno is not None
                assert part.end_col_offset is not None
                yield (part.lineno, part.col_offset), (part.end_lineno, part.end_col_offset)
