"""The extension of ``clients/vscode``: installed, packaged, and in a workbench."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

from tests.clients.generate_go import REPOSITORY
from tests.tools import require_tool, run_tool
from tests.workers import folder, once

VSCODE: Final = REPOSITORY / "clients" / "vscode"
TIMEOUT: Final = 600  # seconds

CACHE: Final = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "udist-tests"
NODE24: Final = CACHE / "node24" / "node_modules" / ".bin"
CODE_SERVER: Final = CACHE / "code-server" / "node_modules" / "code-server"


def require_workbench() -> None:
    """code-server, the Node that it needs, and a browser; .ci/run installs them."""
    require_tool("chromium")
    require_tool(str(NODE24 / "node"))
    require_tool(str(CODE_SERVER / "out" / "node" / "entry.js"))


def prepare() -> None:
    """Builds the extension and its tests once a run; ``clients/node`` is installed already."""
    once("vscode-npm-ci", lambda: npm("ci", "--ignore-scripts"))
    once("vscode-package", lambda: npm("run", "package"))
    once("vscode-test-build", lambda: npm("run", "build:test"))


def npm(*arguments: str) -> str:
    return run_tool("npm", *arguments, cwd=VSCODE, timeout=TIMEOUT)


def in_workbench(name: str, screenshots: Path) -> str:
    """Runs the tests of ``test/workbench/NAME.workbench.ts``, and returns what they say."""
    return node(
        f"build/workbench/{name}.workbench.cjs",
        UDIST_CODE_SERVER=str(CODE_SERVER),
        UDIST_VSIX=str(VSCODE / "dist" / "udist.vsix"),
        UDIST_SCREENSHOTS=str(screenshots),
    )


def node(*files: str, **environment: str) -> str:
    """Runs files of tests by the Node of the workbench."""
    plugin = f"{sys.executable} -m udist_plugin"
    temporary = folder() / "vscode"
    temporary.mkdir(exist_ok=True)
    variables = {"UDIST_PLUGIN": plugin, "TMPDIR": str(temporary), **environment}
    return run_tool(str(NODE24 / "node"), "--test", *files, cwd=VSCODE, timeout=TIMEOUT, **variables)
