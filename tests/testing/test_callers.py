"""The conformance runner for clients: the Python client passes it, and it finds what is wrong with others."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from fnmatch import fnmatch

import pytest

from tests.clients.callers.faults import FAULTS
from tests.vectors.protocol_text import table
from udist_plugin.testing.callers import tables
from udist_plugin.testing.callers.__main__ import main
from udist_plugin.testing.callers.cases import all_cases
from udist_plugin.testing.callers.lines import to_line, to_words
from udist_plugin.testing.callers.playing import play

LIMITS = ["--grace=2", "--unread=1.6"]
"""When closing, of which the second is more than a busy machine takes between two frames."""
DRIVER = [sys.executable, "-m", "tests.clients.callers.driver", *LIMITS]
ASYNCHRONOUS = [sys.executable, "-m", "tests.clients.callers.asynchronous", *LIMITS]

PATIENCE = 2.0
"""Seconds for a wait that a planted fault lets pass."""

CASES = {case.name: case for case in all_cases()}

FOUND_BY = {
    "no-window-is-granted": ("flow-control/granted-as-it-is-read", "expected credit for 1 bytes"),
    "windows-are-granted-on-arrival": (
        "flow-control/not-granted-unread",
        "the client granted credit for .* bytes that nobody has read",
    ),
    "windows-grow-beyond-the-maximum": ("exchanges/get", "a window update of 2147483647 bytes"),
    "windows-of-nothing-are-granted": ("exchanges/get", "a window update of 0 bytes"),
    "data-exceeds-its-credit": ("flow-control/no-credit", "exceeds its credit by 786432 bytes"),
    "credit-is-lost": ("flow-control/no-credit", "expected the end of the request"),
    "credit-of-nothing-is-taken": (
        "stream-states/window_update-of-0-waiting",
        "expected exchange .* to fail",
    ),
    "data-beyond-its-credit-is-taken": (
        "stream-states/data-beyond-its-credit-content",
        "expected exchange .* to fail",
    ),
    "resets-are-not-sent": ("giving-up/before-the-head", "expected a reset of stream 1"),
    "faulty-streams-are-not-reset": (
        "stream-states/response-that-may-not-travel-waiting",
        "expected a reset of stream 3",
    ),
    "frames-of-a-stream-given-up-are-errors": (
        "giving-up/after-the-head",
        "a frame on a stream that was reset",
    ),
    "frames-of-unknown-streams-are-dropped": (
        "stream-states/response-never-opened",
        "expected exchange .* to fail",
    ),
    "a-second-head-is-taken": ("stream-states/response-content", "expected exchange .* to fail"),
    "heads-are-not-checked": (
        "stream-states/response-that-may-not-travel-waiting",
        "expected exchange .* to fail with INTERNAL",
    ),
    "lengths-are-not-checked": ("exchanges/short-of-its-length", "but it succeeded"),
    "ends-are-not-sent": ("exchanges/push", "expected the end of the request"),
    "data-is-not-canonical": ("exchanges/push-large", "data in a frame that is not canonical"),
    "an-early-answer-is-an-error": ("early-answers/read-later", "it failed with OK"),
    "reset-with-ok-ends-a-response": ("early-answers/an-end-is-missing", "but it succeeded"),
    "unprocessed-is-ignored": ("giving-up/unprocessed", "expected REPEATABLE yes, not no"),
    "trailers-are-lost": ("exchanges/trailers-of-a-response", "expected the trailers .*x-checksum"),
    "slots-are-free-at-the-reset": ("slots/given-up", "a request came while all .* slots were in use"),
    "slots-of-what-was-given-up-are-never-free": ("slots/given-up", "expected the request of"),
    "slots-are-not-counted": ("slots/sixty-four", "a request came while all .* 64 slots were in use"),
    "more-slots-are-not-used": ("slots/more", "expected the request of"),
    "credit-is-never-declared": ("slots/little-credit", "begins with 262144 bytes of credit"),
    "credit-is-declared-to-any-plugin": (
        "slots/more",
        "16384 bytes of credit, which the plugin does not heed",
    ),
    "declared-credit-is-not-kept-to": ("slots/little-credit", "exceeds its credit"),
    "fewer-slots-than-64-are-believed": ("slots/fewer", "expected the request of"),
    "pings-are-not-answered": ("exchanges/ping", "expected the answer to ping 1"),
    "pings-are-answered-with-another-token": ("exchanges/ping", "expected the answer to ping 1"),
    "settings-twice-are-taken": ("connection-states/settings-after", "expected exchange .* to fail"),
    "any-version-is-taken": ("handshake/another-version", "expected exchange .* to fail"),
    "several-versions-are-taken": ("handshake/several-versions", "expected exchange .* to fail"),
    "frames-before-settings-are-taken": ("connection-states/ping-before", "expected exchange .* to fail"),
    "go-away-is-ignored": ("going-away/those-after-are-unprocessed", "expected exchange .* to fail"),
    "requests-follow-a-go-away": ("going-away/no-more-are-opened", "expected exchange .* to fail"),
    "text-is-not-named": ("death/says-what-was-printed", "to contain 'Oops, a print'"),
    "deadlines-are-ignored": ("timeouts/no-answer", "to fail with DEADLINE_EXCEEDED"),
    "time-limits-are-told-in-seconds": ("timeouts/told", "timeout_ms is 600, "),
    "death-is-not-noticed": ("death/exits-instead-of-answering", "expected exchange .* to fail"),
    "cut-content-is-whole": ("death/killed-in-a-response", "but it succeeded"),
    "cut-payloads-are-content": ("death/ends-within-a-frame", "but it succeeded"),
    "what-was-posted-is-repeatable": (
        "death/what-was-posted-may-have-happened",
        "expected REPEATABLE no, not yes",
    ),
    "a-file-is-not-looked-at": ("files/pull-of-another-file", "FAILED_PRECONDITION, not OK"),
    "a-file-is-tried-again": ("files/push-refused", "a file where none are shared"),
    "standard-error-is-not-read": ("death/complains-at-length", "nobody reads the plugin's standard error"),
    "standard-error-is-not-told": ("death/says-how-it-ended", "to contain 'no more to say'"),
    "term-is-not-sent": ("closing/terminated-and-killed", "the client killed the plugin, and had not sent"),
    "standard-input-is-not-closed": ("closing/end-of-input", "did not close .* standard input first"),
    "the-plugin-is-not-ended": ("closing/nothing-was-asked", "the plugin was not told to end"),
    "closing-waits-for-no-response": (
        "closing/open-responses-finish",
        "expected credit|it failed|expected the end of the plugin's standard input",
    ),
}
"""For each planted fault a case that fails, and what it says."""


@pytest.mark.parametrize("driver", [DRIVER, ASYNCHRONOUS], ids=["threads", "tasks"])
def test_the_python_client_passes(driver: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["--jobs=4", "--json", "--timeout=30", "--", *driver])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line for line in lines if line["verdict"] == "fail"] == []
    assert [line["name"] for line in lines if line["verdict"] == "skip"] == [
        "exchanges/trailers-of-a-request"
    ]
    assert {line["name"] for line in lines} == set(CASES)
    assert status == 0


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(fault: str) -> None:
    case, message = FOUND_BY[fault]
    (outcome,) = play([*DRIVER, f"--fault={fault}"], [CASES[case]], PATIENCE)
    assert outcome.verdict == "fail"
    assert re.search(message, outcome.text), outcome.text


def test_the_tables_are_those_of_the_text() -> None:
    for first, states, cells in (
        ("from the plugin", tables.STREAM_STATES, tables.STREAM_CELLS),
        ("frame", tables.CONNECTION_STATES, tables.CONNECTION_CELLS),
    ):
        header = (first, *states)
        rows = {row.pop(first): tuple(row.values()) for row in table(*header)}
        assert rows == cells


def run(*arguments: str) -> tuple[int, list[str]]:
    """The exit status of the command line, and the lines that it prints."""
    result = subprocess.run(
        [sys.executable, "-m", "udist_plugin.testing.callers", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    return result.returncode, result.stdout.splitlines()


def test_a_line_for_each_case_and_a_summary() -> None:
    status, lines = run("--only=exchanges/[gh]*", "--core", "--", *DRIVER)
    names = [name for name in CASES if fnmatch(name, "exchanges/[gh]*")]
    assert (status, lines) == (0, [*(f"pass {name}" for name in names), "4 passed, 0 failed, 0 skipped"])


@pytest.mark.parametrize("only", [(), ("--core",)])
def test_cases_are_listed_in_a_line_each(only: tuple[str, ...]) -> None:
    status, lines = run("--list", *only)
    listed = [case for case in CASES.values() if case.core or not only]
    assert (status, lines) == (
        0,
        [f"{case.name}{' (core)' if case.core else ''}: {case.about}" for case in listed],
    )
    assert len(listed) > 50
    assert all(case.about for case in listed)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the driver's command is missing"),
        (["--only", "no-such-case", "--", "driver"], "no case matches no-such-case"),
        (["--core", "--only", "slots/*", "--", "driver"], "no core case matches slots/*"),
        (["--jobs", "0", "--", "driver"], "expected a number from 1 to 64, not '0'"),
        (["--jobs", "many", "--", "driver"], "expected a number from 1 to 64, not 'many'"),
        (["--timeout", "-1", "--", "driver"], "expected more than 0"),
        (["--", "./no-such-driver"], "cannot start ./no-such-driver: No such file or directory"),
    ],
)
def test_a_wrong_command_line_ends_with_64(arguments: list[str], message: str) -> None:
    status, lines = run(*arguments)
    assert status == 64
    assert message in lines[-1]


EACH = "import sys; [print('closed' if line == 'close\\n' else '{}', flush=True) for line in sys.stdin]"
"""A program that closes, and has the same to say to each other command."""


@pytest.mark.parametrize(
    ("program", "line", "timeout"),
    [
        ("print('hello', flush=True); input()", "FAIL .*: the driver wrote a report .*hello", 20),
        ("print('head x y', flush=True); input()", "FAIL .*: the driver wrote a report .*head", 20),
        ("print('\\u00e9', flush=True); input()", "FAIL .*: the driver wrote a line that is not ASCII", 20),
        ("import sys; input(); sys.exit('bye')", "FAIL .* closed its standard output and ended with", 20),
        ("import time; time.sleep(60)", "FAIL .*: expected the plugin's start, within 0.6 s", 0.2),
        (EACH.format("unsupported start"), "skip .*: start is not supported", 20),
        (EACH.format("failed UNKNOWN no"), "FAIL .*: the client could not start the plugin: UNKNOWN: no", 20),
    ],
)
def test_a_bad_driver_is_told_from_a_bad_client(program: str, line: str, timeout: float) -> None:
    """Whatever it does, each case ends, and the next one is played with a driver of its own."""
    driver = [sys.executable, "-Xutf8", "-c", program]
    status, lines = run("--only=exchanges/g*", f"--timeout={timeout}", "--", *driver)
    verdicts = [each for each in lines[:-1] if each.startswith(("FAIL", "skip", "pass"))]
    assert len(verdicts) == 3
    assert all(re.match(line, verdict) for verdict in verdicts), lines
    assert status == (0 if line.startswith("skip") else 1)


def test_nothing_is_left_of_a_case() -> None:
    before = os.listdir("/proc/self/fd")
    (outcome,) = play(DRIVER, [CASES["death/others-hold-its-pipes"]], 30)
    assert outcome.verdict == "pass"
    assert os.listdir("/proc/self/fd") == before


def test_a_failure_shows_the_end_of_the_conversation() -> None:
    _, lines = run("--only=exchanges/push", "--timeout=1", "--", *DRIVER, "--fault=ends-are-not-sent")
    assert lines[0].startswith("FAIL exchanges/push: expected the end of the request on stream 1 (PUT /v2/")
    shown = [line.strip().removeprefix("| ") for line in lines[1:-1]]
    assert [each.split(" ")[0] for each in shown] == [
        "driver",
        "client:",
        "plugin:",
        "driver",
        *["client:"] * 2,
    ]
    assert shown[-1] == "client: stream 1: data of 1000 bytes"


@pytest.mark.parametrize("word", ["", "a b", "100%", "line\nbreak", "grüße", "name:value"])
def test_a_line_has_the_words_that_it_was_made_of(word: str) -> None:
    line = to_line("word", word, "last")
    assert line.isascii()
    assert line.count(b"\n") == 1
    assert to_words(line.rstrip(b"\n")) == ["word", word, "last"]
