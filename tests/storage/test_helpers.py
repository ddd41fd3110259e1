"""Threads that help, and what becomes of their work when there are none."""

from __future__ import annotations

import sys
import threading
from collections import Counter

import pytest

from tests.client.test_exhaustion import no_threads
from udist_plugin.helpers import Helpers

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="what is too much for a stack differs elsewhere"
)


def test_without_threads_the_work_is_done_by_whoever_asks() -> None:
    with Helpers(3) as pool, no_threads():
        assert list(pool.map(lambda number: (number, threading.get_ident()), range(5))) == [
            (number, threading.get_ident()) for number in range(5)
        ]


def test_nothing_is_done_twice_when_a_thread_comes_late() -> None:
    done: Counter[int] = Counter()
    with Helpers(3) as pool:
        with no_threads():
            first = [pool.submit(done.update, [number]) for number in range(5)]
        second = [pool.submit(done.update, [number]) for number in range(5, 10)]
    assert all(future.done() for future in (*first, *second))
    assert done == dict.fromkeys(range(10), 1)


def test_what_the_work_raises_is_raised() -> None:
    with Helpers(1) as pool:
        with no_threads():
            failed = pool.submit(int, "x")
        with pytest.raises(ValueError, match="invalid literal"):
            failed.result()
        with pytest.raises(ValueError, match="invalid literal"):
            pool.submit(int, "x").result()


def test_a_pool_that_was_shut_down_takes_no_work() -> None:
    pool = Helpers(1)
    pool.shutdown()
    with pytest.raises(RuntimeError, match="after shutdown"):
        pool.submit(print)
