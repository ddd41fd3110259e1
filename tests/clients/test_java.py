"""A client in Java, of the proto alone: what another language needs for the gRPC service."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

import pytest

from tests.server.grpc.hosting import Host
from tests.tools import require_tool, run_tool
from tests.workers import folder, once

SOURCES: Final = Path(__file__).with_name("java")
PROTO: Final = Path(__file__).parents[2] / "proto"
TIMEOUT: Final = 600.0
"""Seconds, for what Maven fetches the first time."""

pytestmark = pytest.mark.timeout(TIMEOUT)


@pytest.fixture(scope="session")
def classpath() -> str:
    """The client, compiled once a run."""
    require_tool("java")
    place = folder() / "java"
    once(place.name, lambda: build(place))
    return f"{place / 'target' / 'classes'}:{(place / 'target' / 'classpath').read_text()}"


def build(place: Path) -> None:
    shutil.copytree(SOURCES, place)
    options = ("-q", "-B", "-ntp", f"-Dproto.folder={PROTO}")
    run_tool("mvn", *options, "compile", cwd=place, timeout=TIMEOUT)


def test_push_pull_range_and_cancel(classpath: str, tmp_path: Path) -> None:
    with Host() as host:
        said = run_tool(
            "java", "-cp", classpath, "dev.udist.client.Main", host.path, cwd=tmp_path, timeout=120
        )
        assert host.close() == 0
    done = [line for line in said.splitlines() if " " not in line]
    assert done == ["push", "pull", "range", "head", "cancel", "ping"]
