"""The few calls on descriptors that platforms have differently.

Linux and macOS have vectored I/O and ``poll``; on Windows the plain calls stand in, and a wait cannot be
interrupted there (untested).
"""

from __future__ import annotations

import errno
import os
import sys
import time

from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    Buffer = bytes | bytearray | memoryview

PIPE_SIZE = 1 << 20
"""What pipes are grown to: 64 KiB, the default, halves the throughput."""

SOCKET_SIZE = 208 << 10
"""What a socket's buffer is asked to be; Linux allows no more by default, and doubles it. In a larger one
small replies wait behind more bulk, and with half of it bulk takes longer."""

if sys.platform == "win32":

    def read_into(fd: int, buffers: Sequence[memoryview]) -> int:
        """Reads once, into the first buffers that have room; 0 at the end."""
        data = os.read(fd, len(buffers[0]))
        buffers[0][: len(data)] = data
        return len(data)

    def write_from(fd: int, buffers: Sequence[Buffer]) -> int:
        """Writes once, and returns how much."""
        return os.write(fd, buffers[0])

    def wait_for(
        fd: int,  # noqa: ARG001
        *,
        writable: bool = False,  # noqa: ARG001
        wakes: Sequence[int] = (),  # noqa: ARG001
        timeout: float | None = None,  # noqa: ARG001
    ) -> bool:
        """Pipes cannot be waited for here: the read or write itself does."""
        return True

else:
    import select

    read_into = os.readv
    write_from = os.writev

    def wait_for(
        fd: int, *, writable: bool = False, wakes: Sequence[int] = (), timeout: float | None = None
    ) -> bool:
        """Waits until ``fd`` is ready, or failed; ``False`` when one of ``wakes`` became readable or time was
        up. A negative descriptor among those stands for none."""
        poll = select.poll()
        poll.register(fd, select.POLLOUT if writable else select.POLLIN)
        for wake in wakes:
            if wake >= 0:
                poll.register(wake, select.POLLIN)
        ready = poll.poll(None if timeout is None else max(0, timeout) * 1000)
        return any(which == fd for which, _ in ready)


def ready_before_end(
    fd: int, peer: int, *, writable: bool = False, wakes: Sequence[int] = (), timeout: float | None = None
) -> bool:
    """Waits as ``wait_for`` does while a process lives. Raises ``EOFError`` once it has ended and all that it
    wrote was read. ``peer`` is readable then; a negative one stands for none."""
    if wait_for(fd, writable=writable, wakes=(peer, *wakes), timeout=timeout):
        return True
    if peer >= 0 and wait_for(peer, timeout=0):
        if wait_for(fd, writable=writable, timeout=0):
            return True
        raise EOFError
    return False


def write_all(
    fd: int,
    buffers: Sequence[Buffer],
    stall: float | None = None,
    until: float | None = None,
    peer: int = -1,
) -> list[memoryview]:
    """Writes everything, in order, waiting where the descriptor would block.

    Returns what is left, not yet written, at the time ``until`` on the monotonic clock. ``peer`` is readable
    once the process that reads has ended. Raises ``TimeoutError`` when nothing could be written for ``stall``
    seconds, ``OSError`` otherwise.
    """
    left = [memoryview(buffer) for buffer in buffers if len(buffer)]
    while left:
        try:
            written = write_from(fd, left)
        except BlockingIOError:
            if not wait_writable(fd, stall, until, peer):
                break
            continue
        while left and written >= len(left[0]):
            written -= len(left.pop(0))
        if written:
            left[0] = left[0][written:]
    return left


def wait_writable(fd: int, stall: float | None, until: float | None = None, peer: int = -1) -> bool:
    """Waits until ``fd`` takes something; ``False`` if it does not by ``until``. Raises as ``write_all``."""
    left = None if until is None else until - time.monotonic()
    bounded = left is not None and (stall is None or left < stall)
    try:
        ready = ready_before_end(fd, peer, writable=True, timeout=left if bounded else stall)
    except EOFError:
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE)) from None
    if not ready and not bounded:
        raise TimeoutError(f"nothing could be written for {stall:g} s")
    return ready


def grow_pipe(fd: int, size: int = PIPE_SIZE) -> None:
    """Asks for a larger pipe. A refusal is carried on with: the user's budget for pipes may be used up, and
    what is neither a pipe nor a socket has no such size."""
    if sys.platform == "linux":
        import fcntl

        try:
            fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, size)
        except OSError:
            _grow_socket(fd)


def _grow_socket(fd: int) -> None:
    """On Linux, plugins are mostly spawned with Unix sockets: the sender's buffer is what counts."""
    import stat

    if stat.S_ISSOCK(os.fstat(fd).st_mode):
        import _socket  # which the module around it takes five times as long to import

        duplicate = _socket.socket(fileno=os.dup(fd))
        duplicate.setsockopt(_socket.SOL_SOCKET, _socket.SO_SNDBUF, SOCKET_SIZE)
        duplicate.close()


def reader_gone(fd: int) -> bool:
    """Whether the process at the other end of ``fd``, which is written to, has closed it."""
    if sys.platform == "win32":
        return False
    poll = select.poll()
    poll.register(fd, 0)
    return any(events & (select.POLLERR | select.POLLHUP | select.POLLNVAL) for _, events in poll.poll(0))
