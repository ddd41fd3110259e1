"""Long lists of buckets: in stretches, and without what is not wanted."""

from __future__ import annotations

from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.drivers.memory_store import MemoryObjects, MemoryStore
from udist_plugin.storage import stretches
from udist_plugin.storage.stretches import Stretch, in_stretches

ROOT = "/root"
NAMES = st.sampled_from(["a", "a-b", "a.b", "a0", "b", "_layers", "_manifests", "tags", "revisions", "z"])
FILE = st.lists(NAMES, min_size=2, max_size=5).filter(lambda names: names[-1] != "a0").map("/".join)
PATHS = st.lists(FILE, min_size=1, max_size=40, unique=True)
WITHOUT = st.sets(st.sampled_from(["_layers", "_manifests/tags"]))


def driver_with(names: list[str]) -> tuple[MemoryObjects, list[str]]:
    """One that holds such files, and which: none is another's folder."""
    found = sorted(name for name in names if not any(each.startswith(f"{name}/") for each in names))
    driver = MemoryObjects(MemoryStore())
    for name in found:
        driver.put_content(f"{ROOT}/{name}", b"")
    return driver, found


@settings(max_examples=200)
@given(PATHS, st.integers(1, 6))
def test_together_they_are_all_files(names: list[str], parts: int) -> None:
    driver, found = driver_with(names)

    def walk(stretch: Stretch) -> list[str]:
        return list(stretch.files(driver, ROOT))

    with patch.object(stretches, "STRETCHES", parts):
        walked = list(in_stretches(driver, ROOT, walk))
    assert [path for part in walked for path in part] == found
    assert len(walked) <= parts


@settings(max_examples=200)
@given(PATHS, WITHOUT, st.integers(1, 4))
def test_only_what_is_not_wanted_is_left_out(names: list[str], without: set[str], crowd: int) -> None:
    driver, found = driver_with(names)
    with patch.object(stretches, "CROWD", crowd):
        walked = list(Stretch().files(driver, ROOT, without))
    left = [path for path in found if path not in walked]
    assert walked == sorted({*found} - {*left})
    assert all(any(f"/{each}/" in path for each in without) for path in left)


def test_of_what_is_not_wanted_little_is_listed() -> None:
    driver, found = driver_with(
        [f"{name}/{folder}/{number}" for name in "ab" for folder in ("_layers", "x") for number in range(50)]
    )
    with patch.object(stretches, "CROWD", 3):
        walked = list(Stretch().files(driver, ROOT, ["_layers"]))
    assert len(walked) == len(found) - 2 * (50 - 3)
