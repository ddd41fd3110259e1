"""Scripts that complete command lines, read by the shells themselves."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.tools import require_tool
from udist_plugin.cli.commands import COMMANDS, TOPICS
from udist_plugin.cli.grammar import grammar
from udist_plugin.cli.shells import script

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Ran

    Udist = Callable[..., Ran]

FILES = ["files"]
"""What a shell offers that the script leaves to itself."""

BASH = """
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
_udist
printf '%s\\n' "${COMPREPLY[@]:-files}"
"""

ZSH = """
compdef() { :; }
_files() { print files; }
_describe() {
    local each
    for each in "${(@P)@[-1]}"; do [[ $each != $PREFIX* ]] || print -r -- ${each%%:*}; done
}
source $1
shift
words=("$@") CURRENT=$# PREFIX=${@[-1]}
_udist
"""

FISH = """
source $argv[1]
complete -C "$argv[2]" | string replace -r '\\t.*' ''
true
"""


def offered(shell: str, tmp_path: Path, *words: str) -> list[str]:
    """What ``shell`` offers to complete the last of ``words``, which may be empty."""
    path = tmp_path / "script"
    path.write_text(script(shell, grammar()))
    require_tool(shell)
    command = {
        "bash": ["bash", "--norc", "-c", path.read_text() + BASH, "bash", "udist", *words],
        "zsh": ["zsh", "-f", "-c", ZSH, "zsh", str(path), "udist", *words],
        "fish": ["fish", "--no-config", "-c", FISH, str(path), " ".join(["udist", *words])],
    }[shell]
    folder = tmp_path / "empty"
    folder.mkdir(exist_ok=True)
    (folder / "files").touch()
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    return sorted(ran.stdout.split())


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([""], sorted(COMMANDS)),
        (["pu"], ["pull", "push"]),
        (["--js"], ["--json"]),
        (["--config", "rm", "pus"], ["push"]),
        (["--config", ""], FILES),
        (["push", ""], FILES),
        (["push", "pull", "--sk"], ["--skip-special"]),
        (["push", "--json", "a", "--ex"], ["--exclude"]),
        (["pull", "--out"], ["--output"]),
        (["pull", "--output", ""], FILES),
        (["config", ""], ["check", "keys"]),
        (["config", "check", "--ex"], ["--explain"]),
        (["config", "check", ""], FILES),
        (["help", "st"], ["stores"]),
        (["help", ""], sorted([*COMMANDS, *TOPICS])),
        (["completion", ""], ["bash", "fish", "zsh"]),
    ],
)
def test_the_shell_offers_what_fits(
    tmp_path: Path, shell: str, words: list[str], expected: list[str]
) -> None:
    assert offered(shell, tmp_path, *words) == expected


def test_an_option_takes_a_value_with_every_command_or_with_none() -> None:
    """bash and zsh ask only for the option's name."""
    options = [
        (name, option.valued)
        for each in grammar().values()
        for option in each.options
        for name in option.names
    ]
    assert len(dict(options)) == len(set(options))


def test_the_command_prints_the_script(udist: Udist) -> None:
    for shell in ("bash", "zsh", "fish"):
        assert udist("completion", shell) == (0, script(shell, grammar()), "")
    assert udist("completion", "tcsh").code == 2
