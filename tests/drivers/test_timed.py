"""What is told of a driver that is timed."""

from __future__ import annotations

import pytest

from udist_plugin.drivers import timed as module
from udist_plugin.drivers.inmemory import InMemoryDriver
from udist_plugin.drivers.timed import timed
from udist_plugin.errors import PathNotFound


class Clock:
    """Stands still unless it is moved."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "perf_counter", clock)
    return clock


def test_each_verb_is_one_action_whatever_it_calls() -> None:
    told: list[str] = []
    driver = timed(InMemoryDriver(), lambda action, _: told.append(action))
    driver.put_contents({"/a": b"1", "/b/c": b"2"}, {"/d": b"3"})
    assert (driver.get_content("/a"), driver.exists("/b/c"), driver.stat("/a").size) == (b"1", True, 1)
    assert sorted(driver.list("/")) == list(driver.names("/")) == ["a", "b", "d"]
    driver.move("/a", "/e")
    driver.delete("/e")
    assert driver.url_for("/d") is None
    assert told == [
        "PutContent", "GetContent", "Stat", "Stat", "List", "List", "Move", "Delete", "RedirectURL"
    ]  # fmt: skip
    assert (driver.name, driver.in_memory) == ("inmemory", True)


def test_an_action_that_fails_is_told_too() -> None:
    told: list[str] = []
    driver = timed(InMemoryDriver(), lambda action, _: told.append(action))
    for fail in (driver.get_content, driver.stat, driver.list, driver.names, driver.delete):
        with pytest.raises(PathNotFound):
            fail("/missing")
    assert told == ["GetContent", "Stat", "List", "List", "Delete"]


def test_a_listing_takes_no_time_while_it_is_read(clock: Clock) -> None:
    class Slow(InMemoryDriver):
        def names(self, path: str, *, after: str = ""):  # type: ignore[no-untyped-def]
            clock.now += 1
            for name in super().names(path, after=after):
                clock.now += 2
                yield name

    told: list[float] = []
    driver = timed(Slow(), lambda _, seconds: told.append(seconds))
    driver.put_contents({"/a": b"", "/b": b"", "/c": b""})
    told.clear()
    for _ in driver.names("/"):
        clock.now += 100
    names = driver.names("/")
    next(names)
    clock.now += 100
    del names  # whoever has seen enough does not read on
    assert told == [7, 3]
