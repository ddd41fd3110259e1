"""What bounds a wait."""

from __future__ import annotations

import time

import pytest

from udist_plugin.link.waiter import Waiter


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The monotonic clock; its one item is the time."""
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


@pytest.mark.parametrize(
    ("deadline", "patience", "until"),
    [(None, None, None), (150, None, 150), (None, 20, 120), (150, 20, 120), (110, 20, 110)],
)
@pytest.mark.usefixtures("clock")
def test_the_nearer_of_deadline_and_patience_counts(
    deadline: float | None, patience: float | None, until: float | None
) -> None:
    waiter = Waiter(deadline)
    waiter.patience = patience
    waiter.begin()
    assert waiter.until == until


def test_a_wait_is_over_at_its_time_and_not_before(clock: list[float]) -> None:
    waiter = Waiter()
    assert not waiter.over()
    waiter.patience = 20
    waiter.begin()
    for now, over in ((119.9, False), (120, True), (130, True)):
        clock[0] = now
        assert waiter.over() is over
    waiter.begin()
    assert not waiter.over()


def test_this_side_s_own_work_counts_against_the_deadline_alone(clock: list[float]) -> None:
    waiter = Waiter(150)
    waiter.patience = 20
    waiter.excused = True
    waiter.begin()
    for now, over in ((120, False), (130, False), (149, False), (150, True), (200, True)):
        clock[0] = now
        assert waiter.over() is over


def test_nobody_is_busy_by_itself() -> None:
    assert not Waiter().busy
