"""What a driver of an object store makes of an answer that is lost on its way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from udist_plugin.drivers.objects.tree import Tree
from udist_plugin.errors import PathBusy

if TYPE_CHECKING:
    from tests.drivers.s3.fault_proxy import Faults
    from udist_plugin.drivers.objects.driver import ObjectDriver


def take_no_segment_of_another(driver: ObjectDriver, faults: Faults, commit: str) -> None:
    """Another's segment stands where the writer's is to be: ``commit`` is the request for it."""
    writer = driver.writer("/a", append=True)
    writer.write(b"mine")
    driver.store.put(Tree(driver.store).segment_key("/a", 0), b"theirs")
    faults.add("lost", commit, 1)
    with pytest.raises(PathBusy):
        writer.close()
    assert writer.size == 0
