"""Room for large manifests: few at once, in their order, and nobody waits without end."""

from __future__ import annotations

import signal
import sys
import threading

import pytest

from tests.client.test_interrupts import handled
from tests.link.waiting import until
from udist_plugin.http_api.errors import NoRoom, error_response
from udist_plugin.http_api.room import Room

__all__ = ["handled"]

LONG = 60.0


def test_who_finds_no_room_waits_for_it() -> None:
    room = Room(10, LONG)
    entered = threading.Event()

    def enter() -> None:
        with room.taken(6):
            entered.set()

    waiting = threading.Thread(target=enter)
    with room.taken(6):
        waiting.start()
        assert not entered.wait(0.05)
    waiting.join(LONG)
    assert entered.is_set()


def test_who_waits_too_long_is_told_so_and_holds_up_nobody() -> None:
    room = Room(10, 0)
    with room.taken(6):
        with pytest.raises(NoRoom) as caught, room.taken(6):
            pass
        with room.taken(4):
            pass
    answer = error_response(caught.value)
    assert (answer.status, dict(answer.fields)["Retry-After"]) == (503, "5")


def test_room_is_given_back_after_an_error() -> None:
    room = Room(10, 0)
    with pytest.raises(ZeroDivisionError), room.taken(10):
        raise ZeroDivisionError
    with room.taken(10):
        pass


def test_who_is_interrupted_holds_up_nobody(handled: threading.Semaphore) -> None:
    room = Room(10, LONG)
    main = threading.main_thread().ident
    assert main is not None

    def interrupt() -> None:
        until(lambda: bool(room.waiting) and sys._current_frames()[main].f_code.co_name == "wait")
        signal.pthread_kill(main, signal.SIGUSR1)

    interrupting = threading.Thread(target=interrupt)
    with room.taken(6):
        interrupting.start()
        with pytest.raises(KeyboardInterrupt), room.taken(6):
            pass
        interrupting.join(LONG)
        assert not room.waiting
        with room.taken(4):
            pass


def test_a_small_one_does_not_pass_by_a_large_one() -> None:
    room = Room(10, LONG)
    order: list[int] = []

    def enter(size: int) -> None:
        with room.taken(size):
            order.append(size)

    threads = [threading.Thread(target=enter, args=(size,)) for size in (8, 3)]
    with room.taken(6):
        for number, thread in enumerate(threads, 1):
            thread.start()
            while len(room.waiting) < number:
                assert thread.is_alive()
    for thread in threads:
        thread.join(LONG)
    assert order == [8, 3]
