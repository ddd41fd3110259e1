"""The core module of ``clients/go``: formatted, vetted, tested with the race detector."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.clients.generate_go import GENERATED, REPOSITORY, generate
from tests.clients.stores import store_line
from tests.tools import require_tool, run_tool

if TYPE_CHECKING:
    from tests.drivers.s3.server import S3Server

GO: Final = REPOSITORY / "clients" / "go"
DRIVER: Final = REPOSITORY / "tests" / "clients" / "callers" / "go"
TOOLS: Final = Path(__file__).with_name("go.mod")
TIMEOUT: Final = 600  # seconds: the first build compiles the standard library with the race detector

pytestmark = pytest.mark.timeout(TIMEOUT)


def run(*command: str, cwd: Path = GO, **environment: str) -> str:
    return run_tool(*command, cwd=cwd, timeout=TIMEOUT, **environment)


@pytest.fixture(params=[GO, DRIVER], ids=["client", "driver"])
def module(request: pytest.FixtureRequest) -> Path:
    folder: Path = request.param
    return folder


def test_formatted(module: Path) -> None:
    assert run("gofmt", "-l", ".", cwd=module) == ""


@pytest.mark.parametrize("system", ["darwin", "windows"])
def test_other_systems(system: str) -> None:
    run("go", "vet", "./...", GOOS=system, CGO_ENABLED="0")


def test_vet(module: Path) -> None:
    run("go", "vet", "./...", cwd=module)


def test_staticcheck(module: Path) -> None:
    run("go", "tool", f"-modfile={TOOLS}", "staticcheck", "./...", cwd=module)


def test_tidy(module: Path) -> None:
    run("go", "mod", "tidy", "-diff", cwd=module)


def test_dependencies() -> None:
    """The standard library and protobuf."""
    required = [line for line in (GO / "go.mod").read_text().splitlines() if "require" in line]
    assert [line.split()[1] for line in required] == ["google.golang.org/protobuf"]


def test_race() -> None:
    """The race detector needs cgo, and so a C compiler."""
    require_tool("gcc")
    plugin = f"{sys.executable} -m udist_plugin"
    run("go", "test", "-race", "-count=1", "./...", CGO_ENABLED="1", UDIST_PLUGIN=plugin)


def test_redirects_to_a_bucket(minio_server: S3Server) -> None:
    plugin = f"{sys.executable} -m udist_plugin"
    command = ["go", "test", "-v", "-count=1", "-run", "^TestRedirectToABucket$", "."]
    said = run(*command, UDIST_PLUGIN=plugin, UDIST_TEST_STORES=store_line(minio_server))
    assert "--- PASS: TestRedirectToABucket/s3 " in said


def test_generated_code_is_current(tmp_path: Path) -> None:
    checked_in = {path.name: path.read_bytes() for path in GENERATED.glob("*.pb.go")}
    assert checked_in == generate(require_tool("go"), tmp_path), "run: python -m tests.clients.generate_go"
