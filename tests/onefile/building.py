"""The single file, built once a test run, and starts of it."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Final

from tests.house.generate import REPOSITORY
from tests.tools import require_tool
from tests.workers import folder, once

if TYPE_CHECKING:
    from pathlib import Path

QUICK: Final = ("--level", "1")
"""How the tests have it compressed."""


def build(output: Path, *options: str) -> None:
    require_tool("go")
    require_tool("strip")
    command = [sys.executable, str(REPOSITORY / ".ci" / "onefile"), "-o", str(output), *options]
    modules = output.parent / "modules"  # where Go has none yet
    environ = {**os.environ, "GOMODCACHE": str(modules), "GOFLAGS": "-modcacherw"}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def built() -> Path:
    """With it are what it carries and under which licenses."""
    output = folder() / "onefile" / "udist"
    once("onefile", lambda: build(output, *QUICK))
    return output


def start(file: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Nothing of this process's environment goes in."""
    command = [str(file), *arguments]
    return subprocess.run(
        command,
        env=environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        stdin=subprocess.DEVNULL,
    )
