"""Writing, waiting and growing, on real pipes and sockets."""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from udist_plugin.link.fds import SOCKET_SIZE, grow_pipe, reader_gone, ready_before_end, wait_for, write_all

if TYPE_CHECKING:
    from udist_plugin.link.fds import Buffer


def test_every_byte_is_written_in_order_though_the_pipe_is_small(pipe: tuple[int, int]) -> None:
    buffers: list[Buffer] = [
        b"",
        os.urandom(1),
        bytearray(os.urandom(200_000)),
        b"",
        memoryview(os.urandom(99_999)),
        b"",
    ]
    size = sum(map(len, buffers))
    read = bytearray()

    def take() -> None:
        while len(read) < size:
            read.extend(os.read(pipe[0], 7777))

    thread = threading.Thread(target=take)
    thread.start()
    write_all(pipe[1], buffers, 30)
    thread.join(30)
    assert read == b"".join(buffers)


def test_a_descriptor_that_takes_nothing_is_given_up(pipe: tuple[int, int]) -> None:
    with pytest.raises(TimeoutError, match=r"0\.01 s"):
        write_all(pipe[1], [bytes(4 << 20)], 0.01)


def test_what_cannot_be_written_in_time_is_handed_back(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    def noted(fd: int, peer: int, *, writable: bool, timeout: float) -> bool:
        waits.append(timeout)
        return ready_before_end(fd, peer, writable=writable, timeout=timeout)

    monkeypatch.setattr("udist_plugin.link.fds.ready_before_end", noted)
    began = time.monotonic()
    left = write_all(pipe[1], [bytes(4 << 20)], 30, began + 0.1)
    assert 0 < sum(map(len, left)) < 4 << 20
    assert began + 0.1 - time.monotonic() <= waits[0] <= 0.1


def test_waits_end_when_there_is_something_or_time_is_up(pipe: tuple[int, int]) -> None:
    source, sink = pipe
    wake_read, wake_write = os.pipe()
    try:
        assert not wait_for(source, timeout=0)
        assert not wait_for(source, timeout=-5)
        assert not wait_for(source, timeout=0.01, wakes=(wake_read,))
        assert wait_for(sink, writable=True, timeout=0)
        os.write(wake_write, b"x")
        assert not wait_for(source, wakes=(wake_read,))
        os.write(sink, b"x")
        assert wait_for(source)
        assert wait_for(source, wakes=(wake_read,))
    finally:
        os.close(wake_read)
        os.close(wake_write)


def test_descriptors_of_any_number_are_waited_for(pipe: tuple[int, int]) -> None:
    """A process with many open has some above 256, where two equal integers are two objects."""
    import fcntl

    source = fcntl.fcntl(pipe[0], fcntl.F_DUPFD, 300)
    try:
        os.write(pipe[1], b"x")
        assert wait_for(source, timeout=30)
    finally:
        os.close(source)


def test_descriptor_0_wakes_as_any_other(pipe: tuple[int, int]) -> None:
    saved = os.dup(0)
    wake_read, wake_write = os.pipe()
    try:
        os.dup2(wake_read, 0)
        os.write(wake_write, b"x")
        assert not wait_for(pipe[0], wakes=(0,), timeout=30)
    finally:
        os.dup2(saved, 0)
        for descriptor in (saved, wake_read, wake_write):
            os.close(descriptor)


def test_a_reader_that_is_gone_is_noticed(pipe: tuple[int, int]) -> None:
    assert not reader_gone(pipe[1])
    source, sink = os.pipe()
    os.close(source)
    assert reader_gone(sink)
    os.close(sink)
    assert reader_gone(sink)
    left, right = socket.socketpair()
    with left:
        assert not reader_gone(left.fileno())
        right.close()
        assert reader_gone(left.fileno())


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux grows pipes")
def test_pipes_and_sockets_are_grown_and_the_rest_is_left(pipe: tuple[int, int]) -> None:
    import fcntl

    grow_pipe(pipe[1], 256 << 10)
    assert fcntl.fcntl(pipe[1], fcntl.F_GETPIPE_SZ) == 256 << 10
    grow_pipe(pipe[1], 1 << 40)  # refused
    left, right = socket.socketpair()
    with left, right:
        left.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        grow_pipe(left.fileno())
        with_the_kernel_s_share = 2 * SOCKET_SIZE
        assert left.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) == with_the_kernel_s_share
        left.send(b"still open")
    null = os.open(os.devnull, os.O_WRONLY)
    grow_pipe(null)
    os.close(null)
