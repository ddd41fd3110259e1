"""The guard of the reader's role: one thread, that passes on what its keeper does not come back for."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace

import pytest

from udist_plugin.link.keeper import Keeper


@pytest.fixture
def passed() -> threading.Semaphore:
    """Counts how often the role was passed on."""
    return threading.Semaphore(0)


@pytest.fixture
def lock() -> threading.Lock:
    return threading.Lock()


@pytest.fixture
def keeper(lock: threading.Lock, passed: threading.Semaphore) -> Keeper:
    return Keeper(lock, passed.release)


def test_a_role_that_is_kept_too_long_is_passed_on_each_time(
    keeper: Keeper, lock: threading.Lock, passed: threading.Semaphore
) -> None:
    before = set(threading.enumerate())
    for _ in range(3):
        with lock:
            keeper.keep()
            assert keeper.mine
        assert passed.acquire(timeout=30)
        with lock:
            assert not keeper.mine
    (guard,) = set(threading.enumerate()) - before
    assert guard.daemon


def test_a_role_that_was_let_go_is_not_passed_on(
    keeper: Keeper, lock: threading.Lock, passed: threading.Semaphore
) -> None:
    with lock:
        keeper.keep()
        keeper.let_go()
        assert not keeper.mine
    assert not passed.acquire(timeout=0.1)
    with lock:
        keeper.keep()
    assert passed.acquire(timeout=30)


def test_another_thread_does_not_keep_it(keeper: Keeper, lock: threading.Lock) -> None:
    found: list[bool] = []
    with lock:
        keeper.keep()
        thread = threading.Thread(target=lambda: found.append(keeper.mine))
        thread.start()
        thread.join(30)
    assert found == [False]


def test_a_role_that_is_kept_again_meanwhile_is_looked_at_again(
    keeper: Keeper, lock: threading.Lock, passed: threading.Semaphore, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[float] = []
    began, over = threading.Semaphore(0), threading.Semaphore(0)
    others = threading.enumerate()  # guards of other tests among them

    def sleep(seconds: float) -> None:
        if threading.current_thread() in others:
            time.sleep(seconds)
            return
        looks.append(seconds)
        began.release()
        assert over.acquire(timeout=30)

    monkeypatch.setattr("udist_plugin.link.keeper.time", SimpleNamespace(sleep=sleep))
    with lock:
        keeper.keep()
    assert began.acquire(timeout=30)
    for _ in range(3):
        with lock:
            keeper.keep()
        over.release()
        assert began.acquire(timeout=30)
        with lock:
            assert keeper.mine
    over.release()
    assert passed.acquire(timeout=30)
    assert max(looks) < 0.01  # a request that comes meanwhile waits for as long
