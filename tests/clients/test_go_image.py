"""The modules of ``clients/go`` for containers/image, under both names of that library."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tools import require_tool

_GO = Path(__file__).parents[2] / "clients" / "go"
_TAGS = "containers_image_openpgp,exclude_graphdriver_btrfs,exclude_graphdriver_devicemapper"
_TIMEOUT = 900.0  # the first build compiles some hundred packages


def _go(module: str, *arguments: str, cgo: bool = False) -> None:
    environment = {
        **os.environ,
        "CGO_ENABLED": "1" if cgo else "0",
        "GOFLAGS": "-buildvcs=false",
        "UDIST_PLUGIN": f"{sys.executable} -m udist_plugin",
    }
    done = subprocess.run(
        [require_tool("go"), *arguments],
        cwd=_GO / module,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=_TIMEOUT,
        check=False,
    )
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-20_000:]


@pytest.mark.parametrize("module", ["image", "containersimage"])
def test_without_cgo(module: str) -> None:
    _go(module, "build", "-p", "2", "-tags", _TAGS, "./...")
    _go(module, "vet", "-p", "2", "-tags", _TAGS, "./...")
    _go(module, "test", "-p", "2", "-tags", _TAGS, "./...")


@pytest.mark.parametrize("module", ["image", "containersimage"])
def test_race(module: str) -> None:
    """The race detector is the one thing that needs cgo, and so a C compiler."""
    require_tool("gcc")
    _go(module, "test", "-race", "-p", "2", "-tags", _TAGS, "./...", cgo=True)
