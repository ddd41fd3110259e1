"""Every example in the documentation works, and nothing it names is missing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.documents.reading import DOCS, REPOSITORY, blocks, documents, first_cells
from tests.tools import require_tool
from udist_plugin.cli.commands import COMMANDS, TOPICS
from udist_plugin.cli.error_codes import CODES
from udist_plugin.cli.failures import EXIT_CODES
from udist_plugin.cli.grammar import grammar
from udist_plugin.config import load
from udist_plugin.config.nodes import plain
from udist_plugin.config.yaml_text import parse_yaml
from udist_plugin.storage.collection.retention_file import read_retention

if TYPE_CHECKING:
    from pathlib import Path

README = REPOSITORY / "README.md"
PAGES = [README, *sorted(DOCS.glob("*.md"))]


def examples(language: str) -> list[object]:
    return [
        pytest.param(block.text, id=f"{page.stem}-{block.section}")
        for page in PAGES
        for block in blocks(page)
        if block.language == language
    ]


def test_the_readmes_commands_work_as_typed(tmp_path: Path) -> None:
    """In a fresh checkout, with nothing but this interpreter and pip; the installed package has its help."""
    checkout = tmp_path / "checkout"
    subprocess.run(
        [require_tool("git"), "clone", "-q", "--no-local", REPOSITORY, checkout], check=True, timeout=60
    )
    (checkout / "README.md").write_text(README.read_text())
    sections = dict.fromkeys(("Quick start", "Command line"), "")
    for block in blocks(README):
        if block.language == "sh" and block.section in sections:
            sections[block.section] += block.text
    interpreter = tmp_path / "bin"
    interpreter.mkdir()
    (interpreter / "python3").symlink_to(sys.executable)
    environ = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    environ |= {"PATH": f"{interpreter}:/usr/bin:/bin", "XDG_DATA_HOME": str(tmp_path / "data")}
    ran = subprocess.run(
        ["bash", "-euc", "echo =====\n".join([*sections.values(), "udist help changelog\n"])],
        cwd=checkout,
        env=environ,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    quick_start, command_line, changelog = ran.stdout.split("=====\n")
    lines = quick_start.splitlines()
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", lines[0])
    assert lines[1:3] == ["demo/readme", "v1"]
    assert lines[-1] == lines[0]
    assert (checkout / "restored/README.md").read_bytes() == README.read_bytes()
    assert (checkout / "restored/proto/PROTOCOL.md").exists()
    assert "demo/docs:v1" in command_line.splitlines()
    assert changelog == (checkout / "udist_plugin/docs/changelog.md").read_text()


@pytest.mark.parametrize("text", examples("python"))
def test_python(text: str, tmp_path: Path) -> None:
    path = tmp_path / "test_example.py"
    path.write_text(text)
    runner = ["-m", "pytest", "-q"] if "def test_" in text else []
    ran = subprocess.run(
        [sys.executable, "-W", "error", *runner, path],
        cwd=tmp_path,
        env=os.environ | {"XDG_DATA_HOME": str(tmp_path / "data")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.strip()


@pytest.mark.parametrize("text", examples("yaml"))
def test_configuration(text: str) -> None:
    if text.startswith("version:"):
        assert load(text, {}).warnings == []
    else:
        assert read_retention(plain(parse_yaml(text, "example"))).policies


def test_every_command_and_exit_code_has_a_row() -> None:
    page = DOCS / "commands.md"
    commands = {cell.split()[1].strip("`") for cell in first_cells(page, "| command | what it does |")}
    assert commands == set(COMMANDS)
    for line in EXIT_CODES.splitlines()[1:]:
        code, meaning = line.split(maxsplit=1)
        assert f"| {code} | {meaning} |" in page.read_text()


def test_the_commands_that_work_on_the_store_itself_are_named() -> None:
    (row,) = re.findall(r"\| `--plugin CMD` \|.* except (.*?) \|", (DOCS / "commands.md").read_text())
    options = {
        words.split()[0]: {name for option in command.options for name in option.names}
        for words, command in grammar().items()
        if words
    }
    without = {name for name, found in options.items() if "--config" in found and "--plugin" not in found}
    assert set(re.findall("`(.*?)`", row)) == without | {"serve"}


def test_every_error_code_has_a_row() -> None:
    cells = first_cells(DOCS / "commands.md", "| code | what failed | members of `detail` |")
    assert {cell.strip("`") for cell in cells} == set(CODES.values())


def test_the_readme_links_to_every_topic() -> None:
    text = " ".join(README.read_text().split())
    for topic, summary in TOPICS.items():
        assert f"- [{topic}](udist_plugin/docs/{topic}.md): {summary} " in text


def test_every_program_that_is_named_is_there() -> None:
    named = {target for page in PAGES for target in re.findall(r"python (tests/\S+\.py)", page.read_text())}
    modules = {target for page in PAGES for target in re.findall(r"python -m (tests\.\S+)", page.read_text())}
    places = {module: REPOSITORY / module.replace(".", "/") for module in modules}
    assert named and places
    assert [path for path in named if not (REPOSITORY / path).exists()] == []
    assert [
        module
        for module, place in places.items()
        if not (place.with_suffix(".py").exists() or (place / "__main__.py").exists())
    ] == []


def test_every_language_of_a_block_is_tried() -> None:
    """Go, JavaScript and how minimal clients run by the tests of the clients, JSON, frames and hexdumps by
    those of the protocol."""
    tried = {"sh", "python", "go", "js", "yaml", "text", "json", "hexdump", "frames", ""}
    found = [(document, block) for document in documents() for block in blocks(document)]
    assert {block.language for _, block in found} <= tried
    shell = {(document.name, block.section) for document, block in found if block.language == "sh"}
    sections = {
        "Quick start",
        "Command line",
        "Running",
        "Tests",
    }  # the last by .ci/run, which is how this runs
    assert shell == {("README.md", section) for section in sections}


def test_every_test_that_is_named_is_there() -> None:
    """In the tables of what is the same as elsewhere."""
    named = set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (DOCS / "images.md").read_text()))
    assert len(named) > 10
    missing = [
        (path, name) for path, name in named if f"\ndef {name}(" not in (REPOSITORY / path).read_text()
    ]
    assert missing == []
