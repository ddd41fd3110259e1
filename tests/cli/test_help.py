"""``udist help`` and ``udist version``."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.documents.reading import DOCS
from udist_plugin import __version__
from udist_plugin.cli.commands import COMMANDS, TOPICS
from udist_plugin.cli.grammar import grammar

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Ran

    Udist = Callable[..., Ran]


def test_every_page_is_a_topic() -> None:
    assert {path.stem for path in DOCS.glob("*.md")} == set(TOPICS)
    assert not set(TOPICS) & set(COMMANDS)


def test_help_lists_commands_and_topics_with_a_line_each(udist: Udist) -> None:
    ran = udist("help")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == udist("--help").out
    for name, summary in (COMMANDS | TOPICS).items():
        assert f"  {name} " in ran.out or f"  {name}\n" in ran.out
        assert f" {summary}\n" in ran.out


@pytest.mark.parametrize("topic", TOPICS)
def test_a_topic_is_printed_as_it_stands(udist: Udist, topic: str) -> None:
    assert udist("help", topic) == (0, (DOCS / f"{topic}.md").read_text(), "")


@pytest.mark.parametrize(
    "words", [*([name] for name in COMMANDS), *(name.split() for name in grammar() if " " in name)]
)
def test_help_of_a_command_is_its_own_and_has_examples(udist: Udist, words: list[str]) -> None:
    ran = udist("help", *words)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == udist(*words, "--help").out
    assert "\nexamples:\n  " in ran.out or "\nexample:\n  " in ran.out


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["stroes"], 'did you mean "udist help stores"?'),
        (["pusch"], 'did you mean "udist help push"?'),
        (["xyzzy"], 'run "udist help" for a list'),
        (["stores", "s3"], 'did you mean "udist help stores"?'),
    ],
)
def test_an_unknown_topic_is_2_and_names_the_nearest(udist: Udist, words: list[str], hint: str) -> None:
    ran = udist("help", *words)
    assert (ran.code, ran.out) == (2, "")
    assert f"no command or topic is called '{' '.join(words)}'; {hint}" in ran.err


def test_version(udist: Udist) -> None:
    assert udist("version") == udist("--version") == (0, f"udist {__version__}\n", "")


def test_a_topic_can_be_read_in_any_encoding() -> None:
    """Box drawings and the like become escapes where the locale lacks them."""
    command = [sys.executable, "-m", "udist_plugin.cli.main", "help", "architecture"]
    ran = subprocess.run(
        command, capture_output=True, env={"PYTHONIOENCODING": "ascii"}, timeout=30, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert rb"\u2502" in ran.stdout


def test_other_commands_do_not_load_what_help_needs() -> None:
    code = "import sys; from udist_plugin.cli.running import run; run(['version']); print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)
    assert not {"udist_plugin.cli.help", "importlib.resources", "difflib"} & set(ran.stdout.split())
