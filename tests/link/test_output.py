"""Turns of writing, given up and interrupted."""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from udist_plugin.errors import DeadlineExceeded
from udist_plugin.link.output import Output

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    source, sink = os.pipe()
    os.set_blocking(sink, False)
    yield source, sink
    os.close(source)
    os.close(sink)


@pytest.fixture
def interrupted() -> Iterator[None]:
    """An interrupt reaches the main thread soon, as Ctrl-C would."""

    def interrupt(_: int, __: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    yield
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


@pytest.mark.usefixtures("interrupted")
def test_a_turn_that_nobody_waits_for_any_more_goes_to_the_next(pipe: tuple[int, int]) -> None:
    output = output_to(pipe[1])
    with Holder(output), pytest.raises(KeyboardInterrupt), output.turn(bulk=False):
        pass
    write(output, b"next")
    assert os.read(pipe[0], 100) == b"next"


@pytest.mark.usefixtures("interrupted")
def test_after_half_a_frame_nobody_writes(pipe: tuple[int, int]) -> None:
    output = output_to(pipe[1])
    with pytest.raises(KeyboardInterrupt):
        write(output, bytes(8 << 20))
    with pytest.raises(BrokenPipeError, match="interrupted"):
        write(output, b"next")


def test_the_thread_that_writes_for_the_reader_ends_with_the_output(pipe: tuple[int, int]) -> None:
    before = sys._current_frames().keys()
    output = output_to(pipe[1])
    assert output.flush_elsewhere()
    deadline = time.monotonic() + 30
    while not (started := sys._current_frames().keys() - before):
        assert time.monotonic() < deadline
    assert output.retire(30)
    while sys._current_frames().keys() & started:
        assert time.monotonic() < deadline


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
