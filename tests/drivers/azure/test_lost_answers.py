"""An upload goes on where the answer to its commit was lost: the library repeats it, and is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.drivers.lost_answers import take_no_segment_of_another
from tests.drivers.s3.fault_proxy import fault_proxy
from udist_plugin.drivers.azure import transfers as azure_transfers
from udist_plugin.drivers.azure.driver import AzureDriver
from udist_plugin.storage import paths

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.drivers.s3.fault_proxy import Faults

PIECE = 1000


@pytest.fixture
def faults(azurite_server: str, parameters: dict[str, object]) -> Iterator[Faults]:
    """Before the container's service."""
    parts = urlsplit(azurite_server)
    with fault_proxy(f"{parts.scheme}://{parts.netloc}") as (url, faults):
        parameters["serviceurl"] = f"{url}{parts.path}"
        yield faults


@pytest.mark.parametrize(("size", "pattern"), [(5, "PUT .*segment"), (2 * PIECE, "PUT .*comp=blocklist")])
def test_a_segment_is_known_for_one_s_own(
    size: int, pattern: str, faults: Faults, parameters: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(azure_transfers, "PIECE", PIECE)
    driver = AzureDriver.from_parameters(parameters, scratch=paths.SCRATCH)
    faults.add("lost", pattern, 1)
    with driver.writer("/a", append=True) as writer:
        writer.write(b"x" * size)
    assert writer.size == size
    assert len([each for each in faults.requests if "PUT" in each]) > 1
    with driver.appended("/a") as content:
        assert content.read() == b"x" * size


def test_a_segment_of_another_is_not(faults: Faults, parameters: dict[str, object]) -> None:
    driver = AzureDriver.from_parameters(parameters, scratch=paths.SCRATCH)
    take_no_segment_of_another(driver, faults, "PUT .*segment")
