from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.drivers.oss.server import OssServer, oss

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.drivers.s3.server import S3Server


@pytest.fixture
def server(minio_server: S3Server) -> Iterator[OssServer]:
    """With a bucket of the test's own."""
    with oss(minio_server) as found:
        yield found
