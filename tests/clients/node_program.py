"""Programs of the tests' own over the built ``clients/node``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Final

import pytest

from tests.clients.generate_node import NODE
from tests.clients.test_node import installed, run
from tests.tools import require_tool

__all__ = ["built", "installed", "node", "said"]

MODULES: Final = {
    name: json.dumps((NODE / "dist" / path).as_uri())
    for name, path in {"index": "index.js", "oci": "oci/index.js"}.items()
}


@pytest.fixture(scope="module")
def built(installed: None) -> None:
    run("npm", "run", "build")


def node(program: str, *arguments: str) -> str:
    """What the module ``program`` says; in it ``%(index)s`` and ``%(oci)s`` are the package's modules."""
    return said(require_tool("node"), "--input-type=module", "-e", program % MODULES, *arguments)


def said(*command: str) -> str:
    environ = {**os.environ, "UDIST_PLUGIN": f"{sys.executable} -m udist_plugin"}
    return subprocess.check_output(command, env=environ, text=True, timeout=60).strip()
