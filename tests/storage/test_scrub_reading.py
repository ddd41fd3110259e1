"""Blobs are read side by side, and reported in order."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from udist_plugin.drivers.inmemory import InMemoryDriver
from udist_plugin.oci.digest import Digest
from udist_plugin.storage import paths
from udist_plugin.storage.scrubbing import reading
from udist_plugin.storage.scrubbing.blobs import check_blobs
from udist_plugin.storage.scrubbing.reading import SMALL, Stopped, read_each

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from udist_plugin.content import Content

WAIT = 10


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> tuple[InMemoryDriver, list[Digest]]:
    """Every other blob is large."""
    monkeypatch.setattr(reading, "THREADS", 2)
    driver = InMemoryDriver()
    blobs = [b"%d" % number * (2 * SMALL if number % 2 else 1) for number in range(8)]
    for blob in blobs:
        driver.put_content(paths.blob_data(Digest.of(blob)), blob)
    return driver, [Digest.of(blob) for blob in blobs] + [Digest.of(b"deleted meanwhile")]


def test_two_large_ones_are_read_at_once(store: tuple[InMemoryDriver, list[Digest]]) -> None:
    driver, digests = store
    both = threading.Barrier(2)
    counted: list[int] = []

    def look(digest: Digest, read: Callable[[int], object], _: Content | None) -> Digest:
        if digests.index(digest) % 2:
            both.wait(WAIT)
        read(1)
        return digest

    assert list(read_each(driver, look, digests, counted.append)) == digests
    assert len(counted) == len(digests)


def test_a_small_one_is_opened_once_and_not_looked_at(
    store: tuple[InMemoryDriver, list[Digest]], monkeypatch: pytest.MonkeyPatch
) -> None:
    driver, digests = store
    opened: list[str] = []
    reader = driver.reader

    def counted(path: str) -> Content:
        opened.append(path)
        return reader(path)

    monkeypatch.setattr(driver, "reader", counted)
    monkeypatch.setattr(driver, "stat", pytest.fail)
    assert {case for _, case in check_blobs(driver, "", lambda _: None)} == {None}
    assert sorted(opened).count(paths.blob_data(digests[0])) == 1


def test_what_is_being_read_is_given_up_with_an_interrupt(store: tuple[InMemoryDriver, list[Digest]]) -> None:
    driver, digests = store
    large = digests[1::2]
    begun, ended = threading.Event(), []

    def look(digest: Digest, read: Callable[[int], object], _: Content | None) -> None:
        begun.set()
        try:
            while True:
                read(1)
        except Stopped:
            ended.append(digest)

    def interrupted() -> Iterator[Digest]:
        yield from large
        assert begun.wait(WAIT)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(read_each(driver, look, interrupted(), lambda _: None))
    assert 0 < len(ended) <= 2
    assert set(ended) <= set(large)
