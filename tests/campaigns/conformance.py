"""The OCI's conformance program in every version on every object store; the suite has the fullest alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conformance.plugin import RUNS, check
from tests.drivers.azure.conftest import container, parameters
from tests.drivers.gcs.conftest import bucket, endpoint
from tests.drivers.oss.conftest import server

if TYPE_CHECKING:
    from pathlib import Path

    from tests.drivers.oss.server import OssServer
    from tests.drivers.s3.server import S3Server

__all__ = ["bucket", "container", "endpoint", "parameters", "server"]

every_run = pytest.mark.parametrize(("version", "sparse", "least"), RUNS)


@every_run
def test_s3(version: str, sparse: bool, least: int, minio_server: S3Server, tmp_path: Path) -> None:
    check({"s3": minio_server.parameters(minio_server.bucket())}, version, sparse, least, tmp_path)


@every_run
def test_azure(version: str, sparse: bool, least: int, parameters: dict[str, object], tmp_path: Path) -> None:
    check({"azure": parameters}, version, sparse, least, tmp_path)


@every_run
def test_gcs(version: str, sparse: bool, least: int, bucket: str, tmp_path: Path) -> None:
    check({"gcs": {"bucket": bucket}}, version, sparse, least, tmp_path)


@every_run
def test_oss(version: str, sparse: bool, least: int, server: OssServer, tmp_path: Path) -> None:
    check({"oss": server.parameters()}, version, sparse, least, tmp_path)
