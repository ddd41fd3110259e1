"""When abandoned uploads are purged."""

from __future__ import annotations

import os
import threading

import pytest

from udist_plugin.drivers.inmemory import InMemoryDriver
from udist_plugin.storage.upkeep.schedule import FIRST_PURGE, Purging


class Waits(threading.Event):
    """Notes how long is waited, and says that it is over the third time."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.seconds.append(timeout)
        return len(self.seconds) == 3


def waits(purging: Purging) -> list[float]:
    purging._stop = recorded = Waits()
    purging.start(lambda level, message: None)
    assert purging._thread
    purging._thread.join(30)
    return recorded.seconds


@pytest.mark.parametrize("chance", [0, 0x40000000, 0xFFFFFFFF])
@pytest.mark.parametrize(("interval", "first"), [(86400.0, FIRST_PURGE), (60.0, 60.0)])
def test_the_first_purge_comes_by_chance_within_an_hour_and_then_one_each_interval(
    monkeypatch: pytest.MonkeyPatch, interval: float, first: float, chance: int
) -> None:
    monkeypatch.setattr(os, "urandom", lambda size: chance.to_bytes(size))
    begun, *later = waits(Purging(InMemoryDriver(), 1.0, interval))
    assert begun == first * chance / 2**32
    assert later == [interval, interval]


def test_an_interval_longer_than_any_wait_is_as_long_as_can_be() -> None:
    assert waits(Purging(InMemoryDriver(), 1.0, 1e12))[1:] == [threading.TIMEOUT_MAX] * 2


def test_nothing_is_purged_once_it_is_closed() -> None:
    purging = Purging(InMemoryDriver(), 1.0, 3600.0)
    purging.close()
    purging.start(lambda level, message: None)
    assert purging._thread
    purging._thread.join(30)
    assert not purging._thread.is_alive()
