"""Every example in README.md works, and nothing it names is missing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.tools import require_tool
from udist_plugin.cli.commands import COMMANDS
from udist_plugin.cli.failures import EXIT_CODES
from udist_plugin.config import load

REPOSITORY = Path(__file__).parents[2]
README = (REPOSITORY / "README.md").read_text()


class Block(NamedTuple):
    """A fenced block: the section it stands in, its language, its text."""

    section: str
    language: str
    text: str


def blocks() -> list[Block]:
    found = []
    section = ""
    for heading, language, text in re.findall(r"^## ([^\n]+)$|^```(\w*)\n(.*?)^```$", README, re.M | re.S):
        section = heading or section
        if not heading:
            found.append(Block(section, language, text))
    return found


def examples(language: str) -> list[str]:
    return [block.text for block in blocks() if block.language == language]


def test_the_quick_start_is_quick(tmp_path: Path) -> None:
    """In a fresh checkout, with nothing but this interpreter and pip."""
    checkout = tmp_path / "checkout"
    subprocess.run(
        [require_tool("git"), "clone", "-q", "--no-local", REPOSITORY, checkout], check=True, timeout=60
    )
    (checkout / "README.md").write_text(README)
    commands = [block.text for block in blocks() if (block.section, block.language) == ("Quick start", "sh")]
    interpreter = tmp_path / "bin"
    interpreter.mkdir()
    (interpreter / "python3").symlink_to(sys.executable)
    environ = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    environ |= {"PATH": f"{interpreter}:/usr/bin:/bin", "XDG_DATA_HOME": str(tmp_path / "data")}
    ran = subprocess.run(
        ["bash", "-euc", "\n".join(commands)],
        cwd=checkout,
        env=environ,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    lines = ran.stdout.splitlines()
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", lines[0])
    assert lines[1:3] == ["demo/readme", "v1"]
    assert lines[-1] == lines[0]


@pytest.mark.parametrize("text", examples("python"))
def test_python(text: str, tmp_path: Path) -> None:
    path = tmp_path / "test_example.py"
    path.write_text(text)
    runner = ["-m", "pytest", "-q"] if "def test_" in text else []
    ran = subprocess.run(
        [sys.executable, "-W", "error", *runner, path],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.strip()


@pytest.mark.parametrize("text", examples("yaml"))
def test_configuration(text: str) -> None:
    assert load(text, {}).warnings == []


@pytest.mark.parametrize("text", examples("go"))
def test_go(text: str) -> None:
    """Every line stands in an example of clients/go, which are built and run."""
    programs = [path.read_text() for path in (REPOSITORY / "clients/go/examples").glob("*_test.go")]
    known = {line.strip() for program in programs for line in program.splitlines()}
    assert [line for line in text.splitlines() if line.strip() not in known] == []


def test_every_command_and_exit_code_is_told() -> None:
    for name in COMMANDS:
        assert f"`udist {name}" in README
    for line in EXIT_CODES.splitlines()[1:]:
        code, meaning = line.split(maxsplit=1)
        assert f"| {code} | {meaning} |" in README


def test_every_program_it_names_is_there() -> None:
    for target in re.findall(r"python (tests/\S+\.py)", README):
        assert (REPOSITORY / target).exists(), target


def test_every_language_of_a_block_is_tried() -> None:
    assert {block.language for block in blocks()} == {"sh", "python", "go", "js", "yaml", "text"}
    untried = [block for block in blocks() if block.language == "sh" and block.section != "Quick start"]
    assert [block.section for block in untried] == ["Tests"]  # by .ci/run, which is how this runs
