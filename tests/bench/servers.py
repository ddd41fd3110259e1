"""The registries that a plugin is compared with: distribution v3, built once, and others of its kind."""

from __future__ import annotations

import contextlib
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from tests.remote.loopback import stock_command, stock_process

if TYPE_CHECKING:
    from collections.abc import Iterator

VERSION = "v3.1.2"
DISTRIBUTION = f"github.com/distribution/distribution/v3/cmd/registry@{VERSION}"


def cache() -> Path:
    """A folder outside the repository for what is built."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "udist-bench"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def distribution() -> Path:
    """The program."""
    program = cache() / f"registry-{VERSION}"
    if not program.exists():
        subprocess.run(["go", "install", DISTRIBUTION], env={**os.environ, "GOBIN": str(cache())}, check=True)
        (cache() / "registry").rename(program)
    return program


@contextlib.contextmanager
def listening(root: Path, program: str = "docker-registry") -> Iterator[str]:
    """A registry that serves ``root``: its URL, with its process id as the fragment."""
    with stock_process(root, program) as stock:
        yield f"http://127.0.0.1:{stock.port}#{stock.pid}"


def exec_address(root: Path, program: Path) -> str:
    """A registry that the Go client executes: the URL where it will listen, and the command."""
    command, port = stock_command(root, str(program))
    return f"exec:http://127.0.0.1:{port} {' '.join(command)}"
