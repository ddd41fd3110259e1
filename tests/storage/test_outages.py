"""When a service that failed is asked again, and what is said of it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from udist_plugin.errors import StorageError
from udist_plugin.storage.sizes.outages import FIRST_WAIT, LONGEST_WAIT, Outages

if TYPE_CHECKING:
    from collections.abc import Callable


class Service:
    """One that answers while ``up``; ``asked`` counts. Its clock stands still unless it is moved."""

    def __init__(self) -> None:
        self.up = True
        self.asked = 0
        self.now = 1000.0
        self.log: list[str] = []
        self.failures = 0
        self.outages = Outages(
            lambda level, _: self.log.append(level), "redis", "nothing is cached", self.count_failure
        )
        self.meanwhile: Callable[[], object] = lambda: None

    def answer(self) -> str:
        self.asked += 1
        if not self.up:
            self.meanwhile()
            raise StorageError("no")
        return "yes"

    def count_failure(self) -> None:
        self.failures += 1

    def ask(self) -> str | None:
        return self.outages.ask(self.answer)


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Service:
    service = Service()
    monkeypatch.setattr(time, "monotonic", lambda: service.now)
    return service


def test_who_answers_is_always_asked(service: Service) -> None:
    assert [service.ask() for _ in range(3)] == ["yes"] * 3
    assert service.log == []


def test_each_question_that_is_not_answered_is_told(service: Service) -> None:
    service.ask()
    service.up = False
    for _ in range(3):
        service.ask()
        service.now += LONGEST_WAIT
    assert service.failures == 3


def test_the_wait_doubles_to_a_bound(service: Service) -> None:
    service.ask()
    service.up = False
    service.ask()
    waits = []
    for _ in range(8):
        asked, began = service.asked, service.now
        while service.asked == asked:
            service.now += 0.5
            service.ask()
        waits.append(service.now - began)
    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 32.0, 32.0]
    assert service.log == ["warn"]


def test_one_caller_alone_tries(service: Service) -> None:
    service.up = False
    service.ask()
    service.now += LONGEST_WAIT
    others: list[str | None] = []

    def meanwhile() -> None:
        service.meanwhile = lambda: None
        others.extend(service.ask() for _ in range(5))

    service.meanwhile = meanwhile
    service.asked = 0
    service.ask()
    assert others == [None] * 5
    assert service.asked == 1


def test_one_caller_alone_finds_out_whether_it_answers(service: Service) -> None:
    others: list[str | None] = []

    def answer() -> str:
        others.append(service.ask())
        return "yes"

    assert service.outages.ask(answer) == "yes"
    assert (others, service.ask()) == ([None], "yes")


def test_many_failures_at_once_are_one_outage(service: Service) -> None:
    service.ask()
    service.up = False
    service.meanwhile = lambda: service.ask() if service.asked < 10 else None
    service.ask()
    assert service.asked == 10
    assert service.log == ["warn"]
    service.now += FIRST_WAIT
    service.up = True
    assert service.ask() == "yes"


def test_who_fails_soon_after_was_not_back(service: Service) -> None:
    service.ask()
    for _ in range(4):
        service.up = False
        service.ask()
        service.now += LONGEST_WAIT
        service.up = True
        assert service.ask() == "yes"
    service.up = False
    service.ask()
    service.now += FIRST_WAIT * 8
    assert service.ask() is None
    service.now += LONGEST_WAIT
    service.up = True
    service.ask()
    service.now += LONGEST_WAIT * 2
    service.up = False
    service.ask()
    service.up = True
    service.now += FIRST_WAIT
    assert service.ask() == "yes"
    assert service.log == ["warn", "info"] * 6
