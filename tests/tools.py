"""Programs that some tests need beside Python."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


def require_tool(name: str) -> str:
    """The path of the program ``name``.

    Without it the test that asks is skipped, with the reason; where ``CI`` is set it fails, because there
    nothing may be missing.
    """
    path = shutil.which(name)
    if path is not None:
        return path
    reason = f"{name} is not installed"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def run_tool(*command: str, cwd: Path, timeout: float, **environment: str) -> str:
    """What ``command`` says on both its outputs; ``environment`` goes over this process's. Fails with the end
    of that unless the status is 0. ``timeout`` is in seconds."""
    done = subprocess.run(
        [require_tool(command[0]), *command[1:]],
        cwd=cwd,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-20_000:]
    return done.stdout
