"""Names that are kept from one page of a list to the next: never others than there are."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from udist_plugin.drivers.filesystem import listing
from udist_plugin.drivers.filesystem.listing import Listings, folder_states

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[int]:
    for name in ("b", "a", "c"):
        (tmp_path / name).mkdir()
    descriptor = os.open(tmp_path, os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Grows with each look into a folder. Names are kept even of a small one, and as if nothing had changed
    for long."""
    found: list[str] = []
    list_folder, now = os.listdir, time.time

    def listdir(folder: int) -> list[str]:
        found.append("look")
        return list_folder(folder)

    monkeypatch.setattr(listing, "FEWEST", 1)
    monkeypatch.setattr(listing, "LOCAL", {listing._type(os.stat("/tmp").st_dev)} | listing.LOCAL)
    monkeypatch.setattr(os, "listdir", listdir)
    monkeypatch.setattr(time, "time", lambda: now() + 10)
    return found


def at_another_time(folder: int, change: Callable[[], object]) -> None:
    """A change that gets the folder another time: a kernel's clock may need some ticks for it."""
    before = os.fstat(folder).st_ctime_ns
    end = time.monotonic() + 10
    change()
    while os.fstat(folder).st_ctime_ns == before:
        assert time.monotonic() < end
        os.mkdir("passing", dir_fd=folder)
        os.rmdir("passing", dir_fd=folder)


def test_a_folder_that_does_not_change_is_looked_into_once(folder: int, looks: list[str]) -> None:
    listings = Listings()
    assert [list(listings.names(folder)) for _ in range(3)] == [["a", "b", "c"]] * 3
    assert looks == ["look"]


def test_what_is_added_removed_and_renamed_is_seen(folder: int, looks: list[str]) -> None:
    listings = Listings()
    listings.names(folder)
    at_another_time(folder, lambda: os.mkdir("d", dir_fd=folder))
    assert listings.names(folder) == ["a", "b", "c", "d"]
    at_another_time(folder, lambda: os.rmdir("a", dir_fd=folder))
    assert listings.names(folder) == ["b", "c", "d"]
    at_another_time(folder, lambda: os.rename("b", "e", src_dir_fd=folder, dst_dir_fd=folder))
    assert listings.names(folder) == ["c", "d", "e"]


def test_a_time_that_was_set_back_hides_nothing(folder: int, looks: list[str], tmp_path: Path) -> None:
    listings = Listings()
    listings.names(folder)
    before = os.fstat(folder)
    at_another_time(folder, lambda: os.mkdir("d", dir_fd=folder))
    os.utime(tmp_path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert "d" in listings.names(folder)


def test_another_folder_has_its_own_names(folder: int, looks: list[str], tmp_path: Path) -> None:
    (tmp_path / "a" / "inner").mkdir()
    inner = os.open(tmp_path / "a", os.O_RDONLY)
    listings = Listings()
    try:
        assert listings.names(folder) == ["a", "b", "c"]
        assert listings.names(inner) == ["inner"]
        assert listings.names(folder) == ["a", "b", "c"]
    finally:
        os.close(inner)


def test_one_that_has_just_changed_is_looked_into_again(
    folder: int, looks: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its next change might get the same time."""
    monkeypatch.undo()
    monkeypatch.setattr(listing, "FEWEST", 1)
    listings = Listings()
    os.mkdir("d", dir_fd=folder)
    listings.names(folder)
    assert listings._kept[2] == ()


def test_one_that_had_just_changed_is_looked_into_again_however_long_the_look_took(
    folder: int, looks: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change that the look missed may bear the time of the one before."""
    clock = [os.fstat(folder).st_ctime]
    list_folder = os.listdir

    def slowly(folder: int) -> list[str]:
        clock[0] += 10
        return list_folder(folder)

    monkeypatch.setattr(os, "listdir", slowly)
    monkeypatch.setattr(time, "time", lambda: clock[0])
    listings = Listings()
    listings.names(folder)
    listings.names(folder)
    assert looks == ["look", "look"]


def test_a_file_system_with_another_clock_is_looked_into_each_time(
    folder: int, looks: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "LOCAL", {"nfs4", "fuse"})
    listings = Listings()
    listings.names(folder)
    listings.names(folder)
    assert looks == ["look", "look"]


def test_names_are_not_kept_for_long(folder: int, looks: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    listings = Listings()
    listings.names(folder)
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + listing.KEPT + 1)
    listings.names(folder)
    assert looks == ["look", "look"]


@pytest.mark.usefixtures("looks")
def test_the_state_of_a_folder_changes_with_what_is_in_it(folder: int, tmp_path: Path) -> None:
    state_of = folder_states(lambda path: f"{tmp_path}{path}")
    before = state_of("/")
    assert before
    assert state_of("/") == before
    assert state_of("/none") == folder_states(str)("/none/there") == "absent"
    at_another_time(folder, lambda: os.mkdir("d", dir_fd=folder))
    assert state_of("/") not in ("", before)


def test_a_folder_that_has_just_changed_has_no_state(folder: int, tmp_path: Path) -> None:
    os.mkdir("d", dir_fd=folder)
    assert folder_states(lambda _: str(tmp_path))("/") == ""


def test_a_folder_has_no_state_where_times_are_anothers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "TICK", -1.0)
    assert folder_states(lambda _: str(tmp_path))("/")
    monkeypatch.setattr(listing, "LOCAL", frozenset())
    assert folder_states(lambda _: str(tmp_path))("/") == ""
