"""The modules of ``clients/go`` for containers/image, under both names of that library."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud.storage import Client

from tests.clients.stores import store_line
from tests.tools import require_tool, run_tool

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.drivers.s3.server import S3Server

_GO = Path(__file__).parents[2] / "clients" / "go"
_TAGS = "containers_image_openpgp,exclude_graphdriver_btrfs,exclude_graphdriver_devicemapper"
_TIMEOUT = 900.0  # the first build compiles some hundred packages


def _go(module: str, *arguments: str, cgo: bool = False, stores: Mapping[str, str] | None = None) -> str:
    environment = {
        **(stores or {}),
        "CGO_ENABLED": "1" if cgo else "0",
        "CGO_CFLAGS": "-O0",  # of SQLite, which costs a minute to optimize
        "GOFLAGS": "-buildvcs=false",
        "UDIST_PLUGIN": f"{sys.executable} -m udist_plugin",
    }
    return run_tool("go", *arguments, cwd=_GO / module, timeout=_TIMEOUT, **environment)


@pytest.mark.parametrize("module", ["image", "containersimage"])
def test_without_cgo(module: str) -> None:
    _go(module, "build", "-p", "2", "-tags", _TAGS, "./...")
    _go(module, "vet", "-p", "2", "-tags", _TAGS, "./...")
    _go(module, "test", "-p", "2", "-tags", _TAGS, "./...")


def test_race() -> None:
    """The race detector is the one thing that needs cgo, and so a C compiler. Of one module alone: the other
    has the same code, and its library takes minutes to compile."""
    require_tool("gcc")
    _go("image", "test", "-race", "-p", "2", "-tags", _TAGS, "./...", cgo=True)


@pytest.fixture(scope="module")
def stores(gcs_server: str, minio_server: S3Server) -> dict[str, str]:
    """Buckets: what the plugin's environment must hold, and the Go test's."""
    bucket = f"backups-{uuid4()}"
    options = {"api_endpoint": gcs_server}
    with Client(project="test", credentials=AnonymousCredentials(), client_options=options) as client:
        client.create_bucket(bucket)
    lines = [f"gcs REGISTRY_STORAGE_GCS_BUCKET={bucket}", store_line(minio_server)]
    return {"STORAGE_EMULATOR_HOST": gcs_server, "UDIST_TEST_STORES": "\n".join(lines)}


@pytest.mark.parametrize("module", ["image", "containersimage"])
def test_stores_by_environment(module: str, stores: dict[str, str]) -> None:
    arguments = ["-v", "-count=1", "-run", "^TestEnvironment$", "-tags", _TAGS, "./udistribution"]
    said = _go(module, "test", *arguments, stores=stores)
    for driver in ("filesystem", "gcs", "s3"):
        assert f"--- PASS: TestEnvironment/{driver} " in said
