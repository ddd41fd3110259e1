"""The clients, installed and built once a run, and their drivers for the conformance runner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.clients.generate_go import REPOSITORY
from tests.clients.generate_node import NODE
from tests.clients.node_program import building, reading, run
from tests.listening import no_plugin_listens
from tests.tools import require_tool, run_tool
from tests.workers import folder, once

if TYPE_CHECKING:
    from collections.abc import Iterator

TIMEOUT: Final = 900  # seconds: the first build compiles Go's standard library with the race detector


@pytest.fixture(scope="package", autouse=True)
def _no_port() -> Iterator[None]:
    with no_plugin_listens():
        yield


@pytest.fixture(scope="session")
def installed() -> None:
    """What ``package-lock.json`` names, and nothing else."""
    require_tool("node")
    once("npm-ci", lambda: run("npm", "ci"))


@pytest.fixture(scope="session")
def _built_once(installed: None) -> None:
    with building():
        once("npm-run-build", lambda: run("npm", "run", "build"))


@pytest.fixture
def built(_built_once: None) -> Iterator[None]:
    """What the sources come to, while the test lasts."""
    with reading():
        yield


@pytest.fixture
def go_driver() -> list[str]:
    """With the race detector."""
    require_tool("gcc")
    driver = folder() / "go-driver"
    build = ["go", "build", "-race", "-buildvcs=false", "-o", str(driver), "."]
    source = REPOSITORY / "tests" / "clients" / "callers" / "go"
    once("go-driver", lambda: run_tool(*build, cwd=source, timeout=TIMEOUT, CGO_ENABLED="1"))
    return [str(driver)]


@pytest.fixture
def node_driver(installed: None) -> list[str]:
    """Compiled apart from what other tests compile."""
    place = folder() / "node-callers"

    def compile_once() -> None:
        place.mkdir()
        for name in ("package.json", "node_modules", "require"):
            (place / name).symlink_to(NODE / name)
        run("npm", "exec", "--", "tsc", "-p", "tsconfig.json", "--outDir", str(place / "build"))

    once("node-callers", compile_once)
    return [require_tool("node"), str(place / "build" / "test" / "callers" / "driver.js")]
