"""An upload goes on where the answer to its commit was lost: botocore repeats the request, and is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.drivers.lost_answers import take_no_segment_of_another
from tests.drivers.s3.fault_proxy import fault_proxy
from udist_plugin.drivers.objects.limits import PART_MIN
from udist_plugin.drivers.s3.driver import S3Driver

if TYPE_CHECKING:
    from tests.drivers.s3.server import S3Server


@pytest.mark.parametrize(
    ("size", "pattern"), [(5, "PUT .*segment"), (PART_MIN + 1, "POST .*segment.uploadId=")]
)
def test_a_segment_is_known_for_one_s_own(size: int, pattern: str, server: S3Server) -> None:
    with fault_proxy(server.url) as (url, faults):
        driver = S3Driver(
            *S3Driver.open_store(server.parameters(server.bucket(), regionendpoint=url, chunksize=PART_MIN))
        )
        faults.add("lost", pattern, 1)
        with driver.writer("/a", append=True) as writer:
            writer.write(b"x" * size)
        assert writer.size == size
        assert len([each for each in faults.requests if "PUT" in each or "uploadId=" in each]) > 1
        with driver.appended("/a") as content:
            assert content.size == size


def test_a_segment_of_another_is_not(server: S3Server) -> None:
    with fault_proxy(server.url) as (url, faults):
        driver = S3Driver(*S3Driver.open_store(server.parameters(server.bucket(), regionendpoint=url)))
        take_no_segment_of_another(driver, faults, "PUT .*segment")
