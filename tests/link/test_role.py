"""Who reads, who sleeps, and whom the role goes to."""

from __future__ import annotations

import threading
import time
from collections import deque
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from tests.link.waiting import PATIENCE, Gate, until
from udist_plugin.errors import DeadlineExceeded, TransportError
from udist_plugin.link.input import Interrupted
from udist_plugin.link.role import IDLE, Role
from udist_plugin.link.waiter import Waiter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Frames:
    """Frames that are read by whoever has the role: each an action on the waits, in the order given."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.role = Role(self.lock, self._read)
        self.readers: list[str] = []
        self._frames: deque[Callable[[], None]] = deque()
        self._come = threading.Semaphore(0)

    def come(self, action: Callable[[], None]) -> None:
        self._frames.append(action)
        self._come.release()

    def _read(self) -> None:
        self.readers.append(threading.current_thread().name)
        self.lock.release()
        came = self._come.acquire(timeout=PATIENCE)
        self.lock.acquire()
        assert came
        self._frames.popleft()()


def asleep(role: Role) -> int:
    return len(role._sleeping) + len(role._idle)


class Sleeper:
    """A thread that waits for ``ready``, and what became of it. Made once it reads or sleeps."""

    def __init__(self, frames: Frames, name: str, who: Waiter, *, reads: bool = False) -> None:
        self.ready = False
        self.error: BaseException | None = None
        self._frames = frames
        self._thread = threading.Thread(target=self._wait, args=(who,), name=name)
        role = frames.role
        before = asleep(role)
        self._thread.start()
        until(lambda: asleep(role) != before or (reads and role._reader is who))

    def _wait(self, who: Waiter) -> None:
        try:
            with self._frames.lock:
                self._frames.role.wait(who, lambda: self.ready)
        except (DeadlineExceeded, TransportError) as error:
            self.error = error

    def be_ready(self) -> None:
        self.ready = True

    def join(self) -> None:
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()


@pytest.fixture
def frames() -> Iterator[Frames]:
    frames = Frames()
    yield frames
    with frames.lock:
        assert not asleep(frames.role)
        assert frames.role.settled(0)


def test_the_role_goes_to_an_idle_thread_rather_than_to_one_with_work(frames: Frames) -> None:
    first = Sleeper(frames, "first", Waiter(), reads=True)
    working = Sleeper(frames, "working", Waiter())
    idle = Sleeper(frames, "idle", IDLE)
    frames.come(first.be_ready)
    first.join()
    frames.come(idle.be_ready)
    idle.join()
    frames.come(working.be_ready)
    working.join()
    assert frames.readers == ["first", "idle", "working"]


def test_a_request_takes_the_role_from_a_reader_in_the_middle_of_an_exchange(frames: Frames) -> None:
    reader = Sleeper(frames, "reader", Waiter(), reads=True)
    idle = Sleeper(frames, "idle", IDLE)

    def request() -> None:
        frames.role.wake_idle()  # which finds that another has taken the request, and reads

    frames.come(request)
    until(lambda: frames.role._reader is IDLE)
    with frames.lock:
        assert frames.role.sleepers == 1
    frames.come(idle.be_ready)
    idle.join()
    frames.come(reader.be_ready)
    reader.join()
    assert frames.readers == ["reader", "idle", "reader"]


def test_without_an_idle_one_whoever_has_slept_longest_reads(frames: Frames) -> None:
    sleepers = [Sleeper(frames, f"{number}", Waiter(), reads=not number) for number in range(3)]
    for sleeper in sleepers:
        frames.come(sleeper.be_ready)
        sleeper.join()
    assert frames.readers == ["0", "1", "2"]


def test_the_reader_reads_on_for_others_until_its_own_wait_is_over(frames: Frames) -> None:
    reader, waiter = Sleeper(frames, "reader", Waiter(), reads=True), Waiter()
    other = Sleeper(frames, "other", waiter)

    def for_the_other() -> None:
        other.be_ready()
        frames.role.wake(waiter)

    frames.come(for_the_other)
    other.join()
    frames.come(reader.be_ready)
    reader.join()
    assert frames.readers == ["reader", "reader"]


def test_a_thread_that_sleeps_wakes_at_its_deadline(frames: Frames) -> None:
    reader = Sleeper(frames, "reader", Waiter(), reads=True)
    late = Sleeper(frames, "late", Waiter(time.monotonic() + 0.1))
    late.join()
    assert isinstance(late.error, DeadlineExceeded)
    frames.come(reader.be_ready)
    reader.join()


def test_a_thread_sleeps_until_its_deadline_in_one_go(
    frames: Frames, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr("udist_plugin.link.role.threading", SimpleNamespace(Lock=lambda: Gate(waits)))
    reader = Sleeper(frames, "reader", Waiter(), reads=True)
    began = time.monotonic()
    sleeper = Sleeper(frames, "asleep", Waiter(began + PATIENCE))
    until(lambda: len(waits) == 2)  # the gate is shut, then waited for
    assert began + PATIENCE - time.monotonic() <= waits[1] < PATIENCE + 0.1
    for each in (reader, sleeper):
        frames.come(each.be_ready)
        each.join()


def test_the_end_ends_every_wait_with_its_first_error(frames: Frames) -> None:
    sleepers = [Sleeper(frames, f"{number}", Waiter(), reads=not number) for number in range(3)]

    def end() -> None:
        frames.role.fail(TransportError("first"))
        frames.role.fail(TransportError("second"))

    frames.come(end)
    for sleeper in sleepers:
        sleeper.join()
        assert str(sleeper.error) == "first"
    with frames.lock, pytest.raises(TransportError, match="first"):
        frames.role.wait(Waiter(), lambda: False)
    with frames.lock:
        frames.role.wait(Waiter(), lambda: True)


def test_it_is_not_settled_while_one_reads(frames: Frames) -> None:
    reader = Sleeper(frames, "reader", Waiter(), reads=True)
    with frames.lock:
        assert not frames.role.settled(0.05)
    frames.come(reader.be_ready)
    with frames.lock:
        assert frames.role.settled(PATIENCE)
    reader.join()


def test_a_reader_is_timed_by_the_nearer_end_of_its_wait(frames: Frames) -> None:
    assert (frames.role.timed, frames.role.time_left) == (False, None)
    untimed = Sleeper(frames, "untimed", Waiter(), reads=True)
    with frames.lock:
        assert (frames.role.timed, frames.role.time_left) == (False, None)
    frames.come(untimed.be_ready)
    untimed.join()
    timed = Sleeper(frames, "timed", Waiter(time.monotonic() + PATIENCE), reads=True)
    with frames.lock:
        assert frames.role.timed
        left = frames.role.time_left
        assert left is not None
        assert 0 < left <= PATIENCE
    frames.come(timed.be_ready)
    timed.join()


def test_an_interrupted_reader_looks_at_its_own_wait_and_reads_on(frames: Frames) -> None:
    def interrupt() -> None:
        raise Interrupted

    reader = Sleeper(frames, "reader", Waiter(), reads=True)
    frames.come(interrupt)
    frames.come(reader.be_ready)
    reader.join()
    assert (reader.error, frames.readers) == (None, ["reader", "reader"])
