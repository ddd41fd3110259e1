"""An upload goes on where the answer to its commit was lost: the library repeats it, and is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.drivers.lost_answers import take_no_segment_of_another
from tests.drivers.s3.fault_proxy import fault_proxy
from udist_plugin.drivers.gcs.driver import GcsDriver
from udist_plugin.storage import paths

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.drivers.s3.fault_proxy import Faults


@pytest.fixture
def faults(endpoint: str, bucket: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Faults]:
    """Before the bucket's service."""
    with fault_proxy(endpoint) as (url, faults):
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", url)
        yield faults


def test_a_segment_is_known_for_one_s_own(faults: Faults, bucket: str) -> None:
    driver = GcsDriver.from_parameters({"bucket": bucket}, scratch=paths.SCRATCH)
    faults.add("lost", "POST .*uploadType=multipart", 1)
    with driver.writer("/a", append=True) as writer:
        writer.write(b"mine")
    assert writer.size == 4
    assert len([each for each in faults.requests if "uploadType=multipart" in each]) == 2
    with driver.appended("/a") as content:
        assert content.read() == b"mine"


def test_a_segment_of_another_is_not(faults: Faults, bucket: str) -> None:
    driver = GcsDriver.from_parameters({"bucket": bucket}, scratch=paths.SCRATCH)
    take_no_segment_of_another(driver, faults, "POST .*uploadType=multipart")
