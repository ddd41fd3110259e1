"""Several files at once: in order, bounded, and stopped by the first failure."""

from __future__ import annotations

import signal
import threading

import pytest

from tests.http_api.memory import MemoryRegistry
from udist_plugin.errors import Cancelled
from udist_plugin.images.parallel import Stop, in_parallel


@pytest.fixture
def stop() -> Stop:
    return Stop(MemoryRegistry())


def test_results_are_in_order_and_as_many_run_at_once_as_allowed(stop: Stop) -> None:
    together = threading.Barrier(3)
    running, most = 0, 0
    lock = threading.Lock()

    def act(number: int) -> int:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        together.wait(30)  # passes only if three are here at once
        with lock:
            running -= 1
        return number * 2

    assert in_parallel(act, range(9), 3, stop) == [number * 2 for number in range(9)]
    assert most == 3


def test_one_at_a_time_needs_no_thread(stop: Stop) -> None:
    here = threading.get_ident()
    assert in_parallel(lambda _: threading.get_ident(), range(4), 1, stop) == [here] * 4


def test_where_no_thread_can_be_had_the_caller_does_it(stop: Stop, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert in_parallel(lambda number: number, range(4), 2, stop) == [0, 1, 2, 3]


def test_a_failure_stops_what_is_under_way_and_nothing_else_begins(stop: Stop) -> None:
    begun: list[int] = []
    ended: list[str] = []
    failing = threading.Event()

    def act(number: int) -> None:
        begun.append(number)
        if number == 0:
            assert failing.wait(30)
            raise ValueError("the first")
        failing.set()
        with pytest.raises(Cancelled):
            while True:
                stop.check()
        ended.append("cleaned up")
        raise KeyError("of the second")

    with pytest.raises(ValueError, match="the first"):
        in_parallel(act, range(500), 2, stop)
    assert sorted(begun) == [0, 1]
    assert ended == ["cleaned up"]


def test_an_interrupt_waits_until_all_have_cleaned_up(stop: Stop) -> None:
    main = threading.get_ident()
    ended: list[int] = []
    both = threading.Barrier(2)

    def act(number: int) -> None:
        both.wait(30)
        if number == 0:
            signal.pthread_kill(main, signal.SIGINT)
        while not stop.stopped:
            pass
        ended.append(number)
        stop.check()

    with pytest.raises(KeyboardInterrupt):
        in_parallel(act, range(8), 2, stop)
    assert sorted(ended) == [0, 1]
