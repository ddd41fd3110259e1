"""Turns of writing, given up and interrupted."""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from tests.link import waiting
from udist_plugin.errors import DeadlineExceeded
from udist_plugin.link.fds import wait_for
from udist_plugin.link.output import Output

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType


@pytest.fixture
def interrupt_soon() -> Iterator[Callable[[], None]]:
    """Has an interrupt reach the main thread soon, as Ctrl-C would."""

    def interrupt(_: int, __: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)

    def interrupt_soon() -> None:
        signal.setitimer(signal.ITIMER_REAL, 0.2)

    yield interrupt_soon
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


class Holder:
    """A thread that holds the output's turn from ``with`` to ``with``'s end."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._has = threading.Event()
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._hold)

    def _hold(self) -> None:
        with self._output.turn(bulk=False):
            self._has.set()
            self._enough.wait(30)

    def __enter__(self) -> None:
        self._thread.start()
        assert self._has.wait(30)

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        self._thread.join(30)


def output_to(sink: int) -> Output:
    return Output(sink, lambda: b"", lambda: False, 30)


def write(output: Output, data: bytes) -> None:
    with output.turn(bulk=False, until=time.monotonic() + 30):
        output.write(data)


def test_whoever_leaves_its_turn_does_not_wait_for_what_is_owed(pipe: tuple[int, int]) -> None:
    """It would have no more time for that, and nobody else."""
    owed = [b"owed", bytes(300_000)]
    output = Output(pipe[1], lambda: owed.pop(), lambda: bool(owed), 30)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(write, output, b"mine").result(10)
        received = b""
        while len(received) < 4 + 300_000 + 4:
            assert wait_for(pipe[0], timeout=30)
            received += os.read(pipe[0], 1 << 20)
        assert received == b"mine" + bytes(300_000) + b"owed"
        pool.submit(write, output, b"next").result(10)
    assert os.read(pipe[0], 100) == b"next"


def test_a_turn_is_not_waited_for_beyond_the_deadline(pipe: tuple[int, int]) -> None:
    output = output_to(pipe[1])
    with (
        Holder(output),
        pytest.raises(DeadlineExceeded),
        output.turn(bulk=True, until=time.monotonic() + 0.1),
    ):
        pass
    write(output, b"next")
    assert os.read(pipe[0], 100) == b"next"


def test_a_turn_is_waited_for_until_the_deadline_in_one_go(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    output = output_to(pipe[1])
    waits: list[float] = []
    with Holder(output):
        monkeypatch.setattr(
            "udist_plugin.link.output.threading", SimpleNamespace(Lock=lambda: waiting.Gate(waits))
        )
        began = time.monotonic()
        with pytest.raises(DeadlineExceeded), output.turn(bulk=True, until=began + 0.1):
            pass
    assert began + 0.1 - time.monotonic() <= waits[1] <= 0.1


def test_a_turn_that_nobody_waits_for_any_more_goes_to_the_next(
    pipe: tuple[int, int], interrupt_soon: Callable[[], None]
) -> None:
    output = output_to(pipe[1])
    with Holder(output), pytest.raises(KeyboardInterrupt):
        interrupt_soon()
        with output.turn(bulk=False):
            pass
    write(output, b"next")
    assert os.read(pipe[0], 100) == b"next"


def test_after_half_a_frame_nobody_writes(pipe: tuple[int, int], interrupt_soon: Callable[[], None]) -> None:
    output = output_to(pipe[1])
    with pytest.raises(KeyboardInterrupt):
        interrupt_soon()
        write(output, bytes(8 << 20))
    with pytest.raises(BrokenPipeError, match="interrupted"):
        write(output, b"next")


def test_the_thread_that_writes_for_the_reader_ends_with_the_output(pipe: tuple[int, int]) -> None:
    before = sys._current_frames().keys()
    output = output_to(pipe[1])
    assert output.flush_elsewhere()
    started = waiting.until(lambda: sys._current_frames().keys() - before)
    assert output.retire(30)
    waiting.until(lambda: not sys._current_frames().keys() & started)


def test_the_rest_of_a_frame_is_written_elsewhere_once_its_time_is_over(
    pipe: tuple[int, int],
) -> None:
    output = output_to(pipe[1])
    frame = random.Random(1).randbytes(300_000)
    until = time.monotonic() + 0.1
    with pytest.raises(DeadlineExceeded), output.turn(bulk=True, until=until):
        output.write(frame, until=until)
    with ThreadPoolExecutor(1) as pool:
        following = pool.submit(write, output, b"next")
        received = b""
        while len(received) < len(frame) + len(b"next"):
            received += os.read(pipe[0], 1 << 16)
        following.result(30)
    assert received == frame + b"next"


class Queued:
    """A thread that waits for a turn, and notes in ``order`` when it had it. Made once it is in the queue."""

    def __init__(self, output: Output, order: list[str], name: str) -> None:
        queue = output._bulk if name.startswith("bulk") else output._small
        before = len(queue)
        self._thread = threading.Thread(target=self._take, args=(output, order, name))
        self._thread.start()
        waiting.until(lambda: len(queue) != before)

    def _take(self, output: Output, order: list[str], name: str) -> None:
        with output.turn(bulk=name.startswith("bulk"), until=time.monotonic() + 30):
            order.append(name)

    def join(self) -> None:
        self._thread.join(30)
        assert not self._thread.is_alive()


def test_small_replies_go_before_bulk_and_each_kind_in_its_order(pipe: tuple[int, int]) -> None:
    output = output_to(pipe[1])
    order: list[str] = []
    with Holder(output):
        queued = [Queued(output, order, name) for name in ("bulk 1", "bulk 2", "small 1", "small 2")]
    for each in queued:
        each.join()
    assert order == ["small 1", "small 2", "bulk 1", "bulk 2"]


class Debt:
    """Control frames that are owed once."""

    def __init__(self, frames: bytes) -> None:
        self._frames = frames

    def take(self) -> bytes:
        frames, self._frames = self._frames, b""
        return frames

    def __bool__(self) -> bool:
        return bool(self._frames)


def test_what_is_owed_goes_before_those_that_wait(pipe: tuple[int, int]) -> None:
    debt = Debt(b"owed")
    output = Output(pipe[1], debt.take, lambda: bool(debt), 30)
    with Holder(output):
        thread = threading.Thread(target=write, args=(output, b"next"))
        thread.start()
    thread.join(30)
    assert os.read(pipe[0], 100) == b"owednext"


@pytest.mark.parametrize("flush", [Output.flush, Output.flush_elsewhere])
def test_what_is_owed_is_written_though_nobody_else_writes(
    pipe: tuple[int, int], flush: Callable[[Output], None]
) -> None:
    debt = Debt(b"owed")
    output = Output(pipe[1], debt.take, lambda: bool(debt), 30)
    flush(output)
    assert wait_for(pipe[0], timeout=30)
    assert os.read(pipe[0], 100) == b"owed"
    assert output.retire(30)


def test_the_reader_does_not_wait_for_what_is_owed(pipe: tuple[int, int]) -> None:
    """The pipe is full: whoever writes stands still, and the reader must not."""
    debt = Debt(bytes(8 << 20))
    output = Output(pipe[1], debt.take, lambda: bool(debt), 30)
    output.flush_elsewhere()
    left = 8 << 20
    while left:
        assert wait_for(pipe[0], timeout=30)
        left -= len(os.read(pipe[0], 1 << 20))
    assert output.retire(30)


def test_nobody_writes_to_an_output_that_was_retired(pipe: tuple[int, int]) -> None:
    output = output_to(pipe[1])
    assert output.retire(0)
    with pytest.raises(BrokenPipeError, match="closed by this side"):
        write(output, b"next")


def test_an_output_somebody_is_stuck_in_is_not_idle(pipe: tuple[int, int]) -> None:
    output = output_to(pipe[1])
    with Holder(output):
        assert not output.retire(0.05)


def test_a_descriptor_is_in_use_until_the_last_write_is_over(pipe: tuple[int, int]) -> None:
    output = output_to(pipe[1])
    frame = bytes(300_000)
    with ThreadPoolExecutor(1) as pool:

        def write_twice() -> None:
            with output.turn(bulk=True):
                output.write(frame)
                output.write(frame)

        writing = pool.submit(write_twice)
        assert wait_for(pipe[0], timeout=30)
        assert not output.retire(0.05)
        assert not output.settled(0.05)
        left = len(frame)
        while left:
            left -= len(os.read(pipe[0], left))
        assert output.settled(30)
        with pytest.raises(BrokenPipeError, match="closed by this side"):
            writing.result(30)
    assert not wait_for(pipe[0], timeout=0)


def test_those_that_wait_when_the_output_breaks_are_told(pipe: tuple[int, int]) -> None:
    output = output_to(pipe[1])
    failed: list[OSError] = []

    def wait() -> None:
        try:
            write(output, b"never")
        except OSError as error:
            failed.append(error)

    with Holder(output):
        thread = threading.Thread(target=wait)
        thread.start()
        waiting.until(lambda: output._small)
        broken = BrokenPipeError("gone")
        output.fail(broken)
        thread.join(30)
    assert failed == [broken]


def test_a_reader_that_takes_nothing_is_given_up_after_a_while(pipe: tuple[int, int]) -> None:
    output = Output(pipe[1], lambda: b"", lambda: False, 0.05)
    with pytest.raises(TimeoutError, match=r"0\.05 s"):
        write(output, bytes(8 << 20))
    with pytest.raises(TimeoutError):
        write(output, b"next")
