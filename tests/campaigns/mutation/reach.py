"""Which tests reach which line, and how long each takes: measured once, without a mutant."""

from __future__ import annotations

import json
import os
import re
import time
from collections import Counter
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

import coverage
import pytest

from tests.campaigns.mutation.child import PYTEST, forked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cosmic_ray.work_item import MutationSpec

TESTS = [
    "wire",
    "link",
    "server",
    "client",
    "http_api",
    "storage",
    "drivers",
    "wrappers",
    "remote",
    "bootstrap",
]
SERVERS = [
    *(f"drivers/{name}" for name in ("s3", "gcs", "azure", "oss")),
    *(f"storage/{name}" for name in ("many", "test_redis.py", "test_interop.py", "test_interop_azure.py")),
    *(f"storage/{name}" for name in ("test_crashes.py", "test_model.py", "test_disk_full.py")),
    *("client/test_redirects.py", "client/test_signed_redirects.py"),
]
"""Tests that need a server or minutes."""
LONGEST = 30.0
"""Seconds beyond which a test is left out."""
QUICK = 5.0
THOROUGH = 60.0
"""Seconds that a mutant's tests may take, as measured here, on the first and on the second look."""
MEASURING = 1800.0

PHASE = re.compile(r" \((setup|call|teardown)\)$")
"""What pytest adds to a test's name in the environment of what it spawns."""

RC = """[run]
branch = false
core = ctrace
data_file = {data}
parallel = true
source = {source}
context = ${{PYTEST_CURRENT_TEST-}}
patch = _exit
"""
START = "import coverage\n\ncoverage.process_startup()\n"


class Reach(NamedTuple):
    """Seconds by test, and tests by file and line; line 0 has all that reach anything of the file."""

    seconds: dict[str, float]
    tests: dict[str, dict[int, list[str]]]

    @classmethod
    def measured(cls, work: Path, tree: Path) -> Reach:
        file = work / "reach.json"
        if not file.exists():
            measure(work, tree)
        seconds, tests = json.loads(file.read_text())
        return cls(
            seconds,
            {name: {int(line): found for line, found in lines.items()} for name, lines in tests.items()},
        )

    def of(self, mutation: MutationSpec, name: str) -> tuple[list[str], list[str]]:
        """The tests that may notice ``mutation`` in the file ``name``, the quickest first: those of the one
        file that has most of them, and the others."""
        room = f"tests/{name.split('/')[1]}/"
        lines = self.tests.get(name, {})
        found = lines.get(mutation.start_pos[0])
        if found is None:  # within an expression of several lines, or run at import
            found = list({*lines.get(0, ()), *(test for test in self.seconds if test.startswith(room))})
        found = sorted(found, key=self.seconds.__getitem__)
        near = [test for test in found if test.startswith(room)] or found
        files = Counter(map(file_of, near))
        nearest = max(files, key=files.__getitem__, default="")
        quick = self._within(QUICK, [test for test in found if file_of(test) == nearest])
        done = set(quick)
        return quick, self._within(THOROUGH, [test for test in found if test not in done])

    def _within(self, seconds: float, tests: list[str]) -> list[str]:
        """As many of ``tests`` as take so long; one in any case."""
        ends = accumulate(self.seconds[test] for test in tests)
        return [test for test, end in zip(tests, ends, strict=True) if end <= seconds or test == tests[0]]


def file_of(test: str) -> str:
    return test.partition("::")[0]


class Measures:
    """A pytest plugin: tells coverage which test runs, and notes how long it took."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.failed: set[str] = set()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        measuring = coverage.Coverage.current()
        assert measuring
        measuring.switch_context(item.nodeid)
        start = time.perf_counter()
        try:
            return (yield)
        finally:
            self.seconds[item.nodeid] = time.perf_counter() - start
            measuring.switch_context("")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.outcome != "passed":
            self.failed.add(report.nodeid)


def measure(work: Path, tree: Path) -> None:
    """Writes ``reach.json``; run in a fork, so that this process knows nothing of the code under test."""
    print("measuring which tests reach which line ...", flush=True)
    started = work / "start"
    started.mkdir(exist_ok=True)
    (started / "sitecustomize.py").write_text(START)
    for old in work.glob("coverage*"):
        old.unlink()
    rc = work / "coveragerc"
    rc.write_text(RC.format(data=work / "coverage.data", source=tree / "udist_plugin"))

    def run() -> int:
        os.environ["COVERAGE_PROCESS_START"] = str(rc)  # the plugins that tests spawn are measured as well
        os.environ["PYTHONPATH"] += os.pathsep + str(started)
        measuring = coverage.Coverage(config_file=str(rc))
        measures = Measures()
        measuring.start()
        without = [f"--ignore=tests/{name}" for name in SERVERS]
        code = pytest.main(
            [*PYTEST, *without, "--timeout=60", *(f"tests/{name}" for name in TESTS)], [measures]
        )
        measuring.stop()
        measuring.save()
        everything = coverage.Coverage(config_file=str(rc))
        everything.combine()
        write(everything, measures, tree, work / "reach.json")
        return 0 if code in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED) else code

    if forked(run, tree, work / "measured.log", MEASURING) != 0:
        raise SystemExit(f"see {work / 'measured.log'}")


def write(measured: coverage.Coverage, measures: Measures, tree: Path, file: Path) -> None:
    for test in sorted(measures.failed):
        print("left out, as it did not pass without a mutant:", test)
    good = {
        test: round(seconds, 4)
        for test, seconds in measures.seconds.items()
        if test not in measures.failed and seconds <= LONGEST
    }
    data = measured.get_data()
    tests: dict[str, dict[int, list[str]]] = {}
    for path in data.measured_files():
        lines = {
            line: {PHASE.sub("", context.rpartition("|")[2]) for context in contexts}
            for line, contexts in data.contexts_by_lineno(path).items()
        }
        everybody = sorted(good.keys() & set().union(*lines.values()))
        named = {line: sorted(found & good.keys()) for line, found in lines.items() if "" not in found}
        if everybody:  # what runs at import, in no test's name, is everybody's
            tests[path.removeprefix(f"{tree}/")] = named | {0: everybody}
    file.write_text(json.dumps([good, tests]))
