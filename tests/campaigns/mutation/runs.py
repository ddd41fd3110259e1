"""Runs pending mutants, one a tree at a time."""

from __future__ import annotations

import difflib
import os
import shutil
import sys
import time
import traceback
from typing import TYPE_CHECKING, NamedTuple

import hypothesis
import pytest
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator
from cosmic_ray.work_item import TestOutcome, WorkerOutcome, WorkResult

from tests.campaigns.mutation.child import POLL, PYTEST, ended, fork, kill
from tests.campaigns.mutation.reach import file_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from cosmic_ray.work_db import WorkDB
    from cosmic_ray.work_item import WorkItem

    from tests.campaigns.mutation.reach import Reach

PATIENCE = 30.0
"""Seconds beyond three times what the tests took without a mutant; one that takes longer counts as killed."""
TIMEOUT = "no end within its time"
PASSED = {pytest.ExitCode.OK}
KILLED = {
    pytest.ExitCode.TESTS_FAILED,
    pytest.ExitCode.INTERRUPTED,  # a module of tests does not import
    pytest.ExitCode.USAGE_ERROR,  # a conftest does not
    pytest.ExitCode.INTERNAL_ERROR,  # the package's own pytest plugin does not
}


class Chosen:
    """A pytest plugin: runs these tests alone, in this order."""

    def __init__(self, tests: list[str]) -> None:
        self._order = {test: number for number, test in enumerate(tests)}

    def pytest_sessionstart(self) -> None:
        quick = hypothesis.settings(
            hypothesis.settings.default,
            phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],  # an example, not the smallest
            derandomize=True,
            database=None,
        )
        hypothesis.settings.register_profile("mutation", quick)
        hypothesis.settings.load_profile("mutation")

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        known = [item for item in items if item.nodeid in self._order]
        items[:] = sorted(known, key=lambda item: self._order[item.nodeid]) or items


class Run(NamedTuple):
    """A mutant under test; ``rest`` are the tests for a second look, if it survives."""

    session: WorkDB
    item: WorkItem
    rest: list[str]
    pid: int
    tree: Path
    until: float
    diff: str


class Runs:
    """Runs mutants of ``original`` in ``trees``, each in one at a time."""

    def __init__(self, reach: Reach, original: Path, trees: list[Path]) -> None:
        self._reach = reach
        self._original = original
        self._trees = trees

    def run(self, pending: Iterable[tuple[WorkDB, WorkItem]]) -> None:
        """Fills in the results in the sessions that the items are from."""
        waiting: list[tuple[WorkDB, WorkItem, list[str], list[str]]] = []
        for session, item in pending:
            waiting.append((session, item, *self._reach.of(item.mutations[0], self._name(item))))
        whole, done = len(waiting), 0
        running: dict[Path, Run] = {}
        try:
            while waiting or running:
                for tree in self._trees:
                    if tree not in running and waiting:
                        running[tree] = self._start(tree, *waiting.pop())
                for tree, run in list(running.items()):
                    if (result := outcome(run)) is None:
                        continue
                    shutil.copy2(run.item.mutations[0].module_path, tree / self._name(run.item))
                    del running[tree]
                    if result.test_outcome == TestOutcome.SURVIVED and run.rest:
                        waiting.append((run.session, run.item, run.rest, []))
                        continue
                    run.session.set_result(run.item.job_id, result)
                    done += 1
                    print(f"\r{done} of {whole} ", end="", flush=True)
                time.sleep(POLL)
        finally:
            for run in running.values():
                kill(run.pid)

    def _name(self, item: WorkItem) -> str:
        return str(item.mutations[0].module_path.relative_to(self._original))

    def _start(self, tree: Path, session: WorkDB, item: WorkItem, tests: list[str], rest: list[str]) -> Run:
        (mutation,) = item.mutations
        name = self._name(item)
        code = mutation.module_path.read_text()
        mutated = mutate_code(code, get_operator(mutation.operator_name)(), mutation.occurrence)
        assert mutated is not None
        diff = difflib.unified_diff(code.splitlines(), mutated.splitlines(), name, name, lineterm="", n=0)
        (tree / name).write_text(mutated)
        arguments = [*PYTEST, "-x", "-q", "--tb=line", f"--basetemp={tree / 'tmp'}"]
        arguments += dict.fromkeys(map(file_of, tests))

        def work() -> int:
            sys.dont_write_bytecode = True
            os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
            try:
                return pytest.main(arguments, [Chosen(tests)]) if tests else pytest.ExitCode.OK
            except Exception:
                traceback.print_exc()
                return pytest.ExitCode.INTERNAL_ERROR

        pid = fork(work, tree, tree.with_suffix(".log"))
        expected = sum(self._reach.seconds[test] for test in tests)
        until = time.monotonic() + PATIENCE + 3 * expected
        return Run(session, item, rest, pid, tree, until, "\n".join(diff))


def outcome(run: Run) -> WorkResult | None:
    """None while it runs."""
    code = ended(run.pid)
    if code is None:
        if time.monotonic() < run.until:
            return None
        kill(run.pid)
        return WorkResult(WorkerOutcome.NORMAL, TIMEOUT, TestOutcome.KILLED, run.diff)
    output = run.tree.with_suffix(".log").read_text(errors="replace")[-2000:]
    if code in PASSED:
        return WorkResult(WorkerOutcome.NORMAL, output, TestOutcome.SURVIVED, run.diff)
    if code in KILLED or code < 0:
        return WorkResult(WorkerOutcome.NORMAL, output, TestOutcome.KILLED, run.diff)
    raise SystemExit(f"pytest ended with {code} at {run.item.mutations[0]}:\n{output}")
