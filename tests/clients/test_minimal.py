"""The clients of ``clients/minimal``: small, right, and of use against the real plugin."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Final

import pytest

from tests.documents.reading import blocks
from tests.house.generate import REPOSITORY
from tests.tools import require_tool, run_tool
from tests.workers import folder, once
from udist_plugin.testing.callers.cases import all_cases
from udist_plugin.testing.callers.lines import to_line, to_words
from udist_plugin.testing.callers.pattern import pattern
from udist_plugin.testing.callers.playing import play

MINIMAL: Final = REPOSITORY / "clients" / "minimal"
SOURCES: Final = {"c": MINIMAL / "minimal.c", "java": MINIMAL / "Minimal.java"}
STRICT: Final = ("-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Werror")
SANITIZED: Final = ("-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")

MEMORY: Final = "version: 0.1\nstorage: {inmemory: {}}"
PLUGIN: Final = (sys.executable, "-m", "udist_plugin")

COMPILE: Final = 120.0
"""Seconds for a compiler."""


@pytest.fixture(scope="session", params=SOURCES)
def client(request: pytest.FixtureRequest) -> list[str]:
    """The command of one of the clients, compiled once a run."""
    place = folder() / f"minimal-{request.param}"
    once(place.name, lambda: build(request.param, place))
    return [str(place / "minimal")] if request.param == "c" else ["java", "-cp", str(place), "Minimal"]


def build(language: str, place: Path) -> None:
    """Every warning is an error, and whatever C leaves undefined ends the program."""
    place.mkdir(exist_ok=True)
    command = {
        "c": ("cc", *STRICT, *SANITIZED, "-o", "minimal", str(SOURCES["c"])),
        "java": ("javac", "-Xlint:all", "-Werror", "-d", ".", str(SOURCES["java"])),
    }
    run_tool(*command[language], cwd=place, timeout=COMPILE)


def drive(client: list[str], *lines: tuple[str, ...], configuration: str | None = None) -> list[list[str]]:
    """What the client reports when it gets the commands ``lines``, without a warning on standard error."""
    command = client if configuration is None else [*client, configuration]
    commands = b"".join(to_line(*words) for words in lines)
    done = subprocess.run(command, input=commands, capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stderr.decode()) == (0, "")
    return [to_words(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_at_most_200_lines(source: Path) -> None:
    lines = source.read_text().splitlines()
    assert len(lines) <= 200
    assert max(map(len, lines)) <= 120


def test_the_core_cases(client: list[str]) -> None:
    cases = [case for case in all_cases() if case.core]
    outcomes = [*play(client, cases, timeout=20.0, jobs=4)]
    assert [outcome for outcome in outcomes if outcome.verdict != "pass"] == []
    assert outcomes


@pytest.mark.parametrize("length", [0, 1, 5_000_000])
def test_a_blob_is_pushed_and_pulled(client: list[str], length: int) -> None:
    """5 MB are more than the first credit, in both directions."""
    content = pattern(length)
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    blob = f"/v2/demo/blobs/{digest}"
    push = ("exchange", "1", "POST", f"/v2/demo/blobs/uploads/?digest={digest}", str(length))
    pull = ("exchange", "2", "GET", blob, "-")
    head = ("exchange", "3", "HEAD", blob, "-")
    reports = drive(client, ("start", *PLUGIN), push, pull, head, ("close",), configuration=MEMORY)
    pushed, pulled, looked = (report for report in reports if report[0] == "head")
    assert pushed[1:3] == ["1", "201"]
    assert f"location:{blob}" in pushed
    assert pulled[1:3] == ["2", "200"]
    assert f"docker-content-digest:{digest}" in pulled
    assert looked[1:3] == ["3", "200"]
    assert f"content-length:{length}" in looked
    assert [report for report in reports if report[0] != "head"] == [
        ["content", "1", "0", "00000000"],
        ["end", "1"],
        ["content", "2", str(length), f"{zlib.crc32(content):08x}"],
        ["end", "2"],
        ["content", "3", "0", "00000000"],
        ["end", "3"],
        ["closed"],
    ]


def test_a_push_with_another_digest_is_refused(client: list[str]) -> None:
    target = f"/v2/demo/blobs/uploads/?digest=sha256:{'0' * 64}"
    reports = drive(
        client,
        ("start", *PLUGIN),
        ("exchange", "1", "POST", target, "1000000"),
        ("exchange", "2", "GET", "/v2/", "-"),
        configuration=MEMORY,
    )
    assert [report[:3] for report in reports if report[0] == "head"] == [
        ["head", "1", "400"],
        ["head", "2", "200"],
    ]


def test_a_wrong_configuration_is_named(client: list[str]) -> None:
    exchange = ("exchange", "1", "POST", "/v2/", "-")
    wrong = "version: 0.1\nstorage: {s4: {}}"
    [(*report, message)] = drive(client, ("start", *PLUGIN), exchange, configuration=wrong)
    assert report == ["error", "1", "INVALID_ARGUMENT", "yes"]
    assert "unknown storage driver 's4'" in message


@pytest.mark.parametrize(
    ("script", "code", "message"),
    [
        ("echo hello; exec cat", "INTERNAL", "the plugin's standard output carried text: hello\n"),
        ("echo last words >&2; exit 3", "UNAVAILABLE", "last words"),
    ],
    ids=["text", "death"],
)
def test_what_is_no_plugin_is_named(client: list[str], script: str, code: str, message: str) -> None:
    exchange = ("exchange", "1", "GET", "/v2/", "-")
    [(*report, said)] = drive(client, ("start", "sh", "-c", script), exchange)
    assert report == ["error", "1", code, "yes"]
    assert message in said


def test_a_missing_program_is_named(client: list[str]) -> None:
    """C notices when the process has ended, Java when it starts it."""
    report, *_ = drive(client, ("start", "no-such-plugin"), ("exchange", "1", "GET", "/v2/", "-"))
    assert report[0] in ("error", "failed")
    assert "no-such-plugin" in report[-1]


def test_the_readme_works_as_typed(tmp_path: Path) -> None:
    commands, printed = (block.text for block in blocks(MINIMAL / "README.md"))
    checkout = shutil.copytree(MINIMAL, tmp_path / "minimal")
    for name in ("cc", "java"):
        require_tool(name)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    assert run_tool("sh", "-euc", commands, cwd=checkout, timeout=COMPILE, PATH=path) == 2 * printed
