"""The child process: found, spawned, its standard error drained, and ended with bounded waits."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections import deque
from contextlib import ExitStack, closing
from errno import ENOEXEC

from udist_plugin.client.command import HINT
from udist_plugin.client.ended import Ended
from udist_plugin.errors import PluginNotFound, PluginNotStarted
from udist_plugin.exhaustion import exhausted
from udist_plugin.link.fds import grow_pipe, ready_before_end, wait_for
from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

TAIL_LINES: Final = 20
"""Lines of standard error kept for an error's message."""

LINE_MAX: Final = 4096

LAST_LINES: Final = 1.0
"""Seconds for what an ended process has left in its standard error to be read."""

KILLED: Final = 1.0
"""Seconds for the system to end a process that was killed."""


def _start(
    command: list[str], source: int = subprocess.PIPE, sink: int = subprocess.PIPE, *, own: bool
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - the caller's command
        command,
        bufsize=0,
        stdin=source,
        stdout=sink,
        stderr=subprocess.PIPE,
        process_group=0 if own and sys.platform != "win32" else None,
    )


def _start_on_sockets(command: list[str], *, own: bool) -> subprocess.Popen[bytes]:
    """Over sockets, as whoever writes to a pipe spins while the reader copies from it, and takes a processor
    from both sides (Linux)."""
    from _socket import socketpair  # the module around it takes longer to import than all else here

    with ExitStack() as stack:
        ends = [stack.enter_context(closing(end)) for _ in range(2) for end in socketpair()]
        sink, source, ours, theirs = ends
        for end in (source, theirs):
            end.setblocking(True)  # which socket.setdefaulttimeout in this program may have changed
        process = _start(command, source.fileno(), theirs.fileno(), own=own)
        process.stdin = open(sink.detach(), "wb", buffering=0)  # noqa: SIM115 - closed as any other
        process.stdout = open(ours.detach(), "rb", buffering=0)  # noqa: SIM115
    return process


def _spawn(command: list[str], *, own: bool) -> subprocess.Popen[bytes]:
    try:
        start = _start_on_sockets if sys.platform == "linux" else _start
        return start(command, own=own)
    except OSError as error:
        if exhausted(error) or isinstance(error, BlockingIOError):  # the latter for processes
            raise _scarce(command, error) from None
        reason = f"cannot start {command[0]!r}: {error.strerror}"
        if isinstance(error, FileNotFoundError | PermissionError):
            reason += f"; {HINT}"
        elif error.errno == ENOEXEC:
            reason += "; it is for another system or processor, or is not whole"
        raise PluginNotFound(reason) from None


def _scarce(command: list[str], error: BaseException) -> PluginNotStarted:
    return PluginNotStarted(f"cannot start {command[0]!r}: {error}")


class PluginProcess:
    """A spawned plugin. ``source`` and ``sink`` are this side's non-blocking descriptors.

    If the command is this library's ``own`` it gets a process group of its own, so that Ctrl-C reaches the
    caller first; another, such as ssh, may still ask on the terminal. ``log`` gets each line of standard
    error, from a thread of its own. Raises ``PluginNotFound``, and ``TransportError`` when the system has no
    more descriptors, threads or processes.
    """

    def __init__(self, command: list[str], log: Callable[[str], None] | None, *, own: bool) -> None:
        self.command = command
        self._process = _spawn(command, own=own)
        assert self._process.stdin and self._process.stdout and self._process.stderr
        self.sink = self._process.stdin.fileno()
        self.source = self._process.stdout.fileno()
        self._stderr, self._process.stderr = self._process.stderr, None  # the thread's, which closes it
        if sys.platform != "win32":
            os.set_blocking(self.sink, False)
            os.set_blocking(self.source, False)
        grow_pipe(self.sink)
        self._log = log
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._drain = threading.Thread(target=self._read_stderr, name="udist-stderr", daemon=True)
        try:
            self._ended = Ended(self._process)
            self._drain.start()
        except BaseException as error:
            self._process.kill()
            with self._process:  # closes its pipes and waits for it
                pass
            if self._drain.is_alive():
                self._drain.join(LAST_LINES)
            if not exhausted(error):
                raise
            self._stderr.close()
            raise _scarce(self.command, error) from None

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def ended(self) -> int:
        """A descriptor that is readable once the process has ended; -1 if there is none."""
        return self._ended.fd

    def stderr_tail(self) -> str:
        """The last lines of standard error."""
        return "\n".join(self._tail)

    def status(self, timeout: float) -> int | None:
        """The exit status once the process has ended, negative for a signal; ``None`` if it has not."""
        if self.ended >= 0 and not wait_for(self.ended, timeout=timeout):
            return None
        try:
            status = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return None
        self._drain.join(LAST_LINES)
        return status

    def end(self, polite_until: float, deadline: float, *, polite: bool) -> int:
        """Waits for it to end by itself, terminates it at the one time and kills it at the other, both on the
        monotonic clock. The exit status.

        It ends by itself at the end of its input, which is closed if ``polite``: no thread may write then.
        """
        assert self._process.stdin
        status = None
        if polite:
            self._process.stdin.close()
            status = self.status(max(0, polite_until - time.monotonic()))
        if status is None:
            self._process.terminate()
            status = self.status(max(0, deadline - time.monotonic()))
        if status is None:
            self._process.kill()
            status = self.status(KILLED)
        return -9 if status is None else status  # the system takes its time over one that was killed

    def close(self) -> None:
        """Closes this side's descriptors, once no thread uses them."""
        for stream in (self._process.stdin, self._process.stdout):
            assert stream
            stream.close()
        self._ended.close()

    def disown(self) -> None:
        """In a child that was forked: closes what it has inherited, and leaves the process to its parent."""
        for stream in (self._process.stdin, self._process.stdout, self._stderr):
            assert stream
            stream.close()
        self._ended.disown()
        self._process.returncode = 0

    def _read_stderr(self) -> None:
        with self._stderr as stream:
            rest = b""
            while data := self._next_of(stream.fileno()):
                *lines, rest = (rest + data).split(b"\n")
                self._take(lines)
                rest = rest[-LINE_MAX:]
            self._take([rest] if rest else [])

    def _next_of(self, descriptor: int) -> bytes:
        """What comes next on standard error; nothing once the process has ended, though a process that it has
        started may hold it open."""
        try:
            ready_before_end(descriptor, self.ended)
        except EOFError:
            return b""
        return os.read(descriptor, 64 << 10)

    def _take(self, lines: list[bytes]) -> None:
        for line in lines:
            text = line[:LINE_MAX].decode(errors="replace").rstrip("\r")
            self._tail.append(text)
            if self._log:
                self._tell(text)

    def _tell(self, text: str) -> None:
        assert self._log
        try:
            self._log(text)
        except Exception:  # whatever it is, the plugin must not wait for its standard error
            import logging

            logging.getLogger("udist_plugin").exception("the log given to Plugin failed")
