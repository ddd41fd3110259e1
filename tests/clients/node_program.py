"""The package of ``clients/node``, built and run, and programs of the tests' own over it."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Final

from tests.clients.generate_node import NODE
from tests.tools import require_tool, run_tool
from tests.workers import folder, locked

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

TIMEOUT: Final = 600  # seconds
MODULES: Final = {
    name: json.dumps((NODE / "dist" / path).as_uri())
    for name, path in {"index": "index.js", "oci": "oci/index.js"}.items()
}


def run(*command: str, cwd: Path = NODE) -> str:
    return run_tool(*command, cwd=cwd, timeout=TIMEOUT, UDIST_PLUGIN=f"{sys.executable} -m udist_plugin")


def building() -> AbstractContextManager[None]:
    """For commands that write ``dist``, while no other test reads it."""
    return locked(folder() / "node.dist")


def reading() -> AbstractContextManager[None]:
    """For tests that load ``dist``, while no other writes it."""
    return locked(folder() / "node.dist", fcntl.LOCK_SH)


def node(program: str, *arguments: str) -> str:
    """What the module ``program`` says; in it ``%(index)s`` and ``%(oci)s`` are the package's modules."""
    return said(require_tool("node"), "--input-type=module", "-e", program % MODULES, *arguments)


def said(*command: str) -> str:
    environ = {**os.environ, "UDIST_PLUGIN": f"{sys.executable} -m udist_plugin"}
    return subprocess.check_output(command, env=environ, text=True, timeout=60).strip()
