"""Copies of the tree: the mutants' place, so that nobody works on broken code by mistake."""

from __future__ import annotations

import filecmp
import shutil
import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).parents[3]


def files() -> list[str]:
    """What git knows or would take, but for the clients in other languages."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout.split("\0")
    return [name for name in listed if name and not name.startswith("clients/")]


def copy_tree(target: Path) -> None:
    """Copies the repository to ``target``, compiled."""
    made = target.with_suffix(".new")
    shutil.rmtree(made, ignore_errors=True)
    for name in files():
        if (REPOSITORY / name).exists():
            (made / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, made / name)
    made.rename(target)


def refresh_tests(target: Path) -> None:
    """Takes today's tests into a copy. Its mutants are those of the code as it was: that must be the same."""
    for name in files():
        if name.startswith("udist_plugin/") and not filecmp.cmp(
            REPOSITORY / name, target / name, shallow=False
        ):
            raise SystemExit(f"{name} is not what the mutants were made of: begin with another --work folder")
    shutil.rmtree(target / "tests")
    for name in files():
        if name.startswith("tests/") and (REPOSITORY / name).exists():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, target / name)


def fresh(original: Path, target: Path) -> Path:
    """A copy of ``original`` with what is compiled already, for one mutant after another."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(original, target)
    return target
