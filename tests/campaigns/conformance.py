"""The OCI's conformance program in every version on every object store; the suite has the fullest alone."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from google.cloud.storage import Client

from tests.conformance.plugin import RUNS, check
from tests.storage.azure.conftest import container, endpoint, parameters

if TYPE_CHECKING:
    from pathlib import Path

    from tests.storage.servers import S3Server

__all__ = ["container", "endpoint", "parameters"]

every_run = pytest.mark.parametrize(("version", "sparse", "least"), RUNS)


@every_run
def test_s3(version: str, sparse: bool, least: int, minio_server: S3Server, tmp_path: Path) -> None:
    check({"s3": minio_server.parameters(minio_server.bucket())}, version, sparse, least, tmp_path)


@every_run
def test_azure(version: str, sparse: bool, least: int, parameters: dict[str, object], tmp_path: Path) -> None:
    check({"azure": parameters}, version, sparse, least, tmp_path)


@every_run
def test_gcs(
    version: str,
    sparse: bool,
    least: int,
    gcs_server: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", gcs_server)
    with Client(project="test") as client:
        bucket = client.create_bucket(f"registry-{uuid4()}").name
    check({"gcs": {"bucket": bucket}}, version, sparse, least, tmp_path)
