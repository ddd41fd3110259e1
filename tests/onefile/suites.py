"""The conformance program and the clients' suites in a root without Python, on the single file."""

from __future__ import annotations

import shlex
import subprocess
from typing import TYPE_CHECKING, Final

from tests.clients.generate_node import NODE
from tests.clients.test_go import GO
from tests.conformance.plugin import check
from tests.onefile.roots import in_root, with_client
from tests.tools import require_tool, run_tool

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

PEERS_IN_PYTHON: Final = "|".join(
    (
        *("TestBadAnswer", "TestBadStart", "TestEveryMisbehaviourIsTried", "TestPushToTheDeaf"),
        *("TestSpawnCancelled", "TestTrace"),
    )
)
"""Go's tests whose plugin is a program in Python that misbehaves, or which show a trace by one."""

NODE_FILES: Final = (
    *("azure", "conversations", "fetch", "files", "frames", "link", "oci_answers", "oci_referrers"),
    *("semantics", "undici_native"),
)
"""Node's test files that need no other program than Node and the plugin."""


def conforms(
    file: Path, monkeypatch: pytest.MonkeyPatch, version: str, sparse: bool, least: int, work: Path
) -> None:
    """The conformance program's verdict; see ``RUNS``."""
    store = work / "store"
    store.mkdir()
    command = [*in_root(file, "--bind", str(store), "/store"), "/bin/udist-plugin"]
    monkeypatch.setenv("UDIST_PLUGIN", shlex.join(command))
    check({"filesystem": {"rootdirectory": "/store"}}, version, sparse, least, work / "results")


def go(file: Path, work: Path, *options: str) -> str:
    """What the tests say. ``options`` are the test program's."""
    program = work / "go.test"
    run_tool("go", "test", "-c", "-o", str(program), ".", cwd=GO, timeout=600, CGO_ENABLED="0")
    command = with_client(file, GO, "/bin/sh", "/bin/cat", str(program))
    return _said([*command, str(program), f"-test.skip=^({PEERS_IN_PYTHON})$", *options])


def node(file: Path, *names: str) -> str:
    """What the test files of these ``names`` say; they are built."""
    program = require_tool("node")
    files = [f"build/test/{name}.test.js" for name in names]
    return _said([*with_client(file, NODE, program), program, "--test", *files])


def _said(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-20_000:]
    return done.stdout
