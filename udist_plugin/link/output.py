"""Writing in turns: one thread at a time, small replies before bulk data, each stream one frame a turn.

A plain lock would let whoever asks first keep asking first; replies behind a bulk transfer would wait for
several of its frames instead of one.
"""

from __future__ import annotations

import _thread
import errno
import os
import threading
import time
from collections import deque
from contextlib import suppress

from udist_plugin.errors import DeadlineExceeded
from udist_plugin.link.errors import late
from udist_plugin.link.fds import wait_writable, write_all
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from udist_plugin.link.fds import Buffer
    from udist_plugin.link.tracing import Recorder

SMALL = 16 << 10
"""Bytes up to which a reply goes before bulk data."""


class Output:
    """The descriptor that frames are written to.

    ``take_control`` gives the frames that the protocol itself owes, and ``owes_control`` whether there are
    any; whoever holds the turn writes them along. ``stall`` bounds, in seconds, how long a write may stand
    still. ``peer`` is a descriptor that is readable once the process that reads has ended. ``recorder``, if
    there is one, is told what is written.
    """

    recorder: Recorder | None = None

    def __init__(
        self,
        fd: int,
        take_control: Callable[[], bytes],
        owes_control: Callable[[], bool],
        stall: float | None,
        peer: int = -1,
    ) -> None:
        self.fd = fd
        self.stall = stall
        self.peer = peer
        self._take_control = take_control
        self._owes_control = owes_control
        self._mutex = threading.Lock()
        self._using = threading.Lock()  # while a thread is in a call on the descriptor
        self._busy = False
        self.broken: OSError | None = None
        self._small: deque[threading.Lock] = deque()
        self._bulk: deque[threading.Lock] = deque()
        self._torn = False
        self._left = self._handed_over = b""
        self._unstarted = threading.Lock()
        self._nudge = threading.Lock()
        self._nudge.acquire()

    @property
    def locks(self) -> tuple[threading.Lock, ...]:
        """Those that are held while something is looked up or changed, and never for longer."""
        return (self._mutex,)

    def turn(self, *, bulk: bool, until: float | None = None) -> Turn:
        """A context manager: inside it, the descriptor is this thread's. ``until``, on the monotonic clock,
        is when to wait no more for that: ``DeadlineExceeded``."""
        return Turn(self, self._bulk if bulk else self._small, until)

    def write(self, *buffers: Buffer, until: float | None = None) -> None:
        """Writes all of ``buffers``. Only inside a turn. Raises ``OSError``, ``TimeoutError`` being one.

        With ``until``, on the monotonic clock, ``DeadlineExceeded`` is raised then; what is left of the frame
        is written, and the turn ended, by the thread that ``flush_elsewhere`` starts.
        """
        self._torn = True
        with self._using:
            self._check()
            if self.recorder:
                self.recorder.sent(buffers)
            left = write_all(self.fd, buffers, self.stall, until, self.peer)
        if left:
            self._left = b"".join(left)
            raise late()
        self._torn = False

    def splice(self, pipe: int, length: int) -> None:
        """Has the kernel move ``length`` bytes from ``pipe``, which has them. Otherwise as ``write``."""
        with self._using:
            self._check()
            if self.recorder:
                self.recorder.passed(length)
            while length:
                try:
                    length -= os.splice(pipe, self.fd, length)
                except BlockingIOError:
                    wait_writable(self.fd, self.stall, peer=self.peer)

    def flush(self) -> None:
        """Writes what control frames are owed, unless another thread has the turn: then that one does.

        A failure is not raised: that the peer is gone, whoever reads or writes next will find.
        """
        if not self._owes_control():
            return
        with self._mutex:
            if self._busy or self.broken:
                return
            self._busy = True
        with suppress(OSError):
            self._release()

    def flush_elsewhere(self) -> bool:
        """As ``flush``, from a thread of its own: the reader never writes. ``False`` when the system gives no
        thread; then whoever writes next does it.

        A finalizer may call this within anything, also within ``threading``'s own locks, so it needs none.
        """
        if self._unstarted.acquire(blocking=False):
            try:
                _thread.start_new_thread(self._flush_when_nudged, ())
            except RuntimeError:
                self._unstarted.release()
                return False
        with suppress(RuntimeError):  # nudged before, and not yet awake
            self._nudge.release()
        return True

    def _flush_when_nudged(self) -> None:
        while not self.broken:
            self._nudge.acquire()
            if self._handed_over:
                self._finish()
            else:
                self.flush()

    def _finish(self) -> None:
        """Writes the rest of a frame whose writer had no more time, and ends its turn."""
        left, self._handed_over = self._handed_over, b""
        try:
            with self._using:
                self._check()
                write_all(self.fd, (left,), self.stall, peer=self.peer)
        except OSError as error:
            self.fail(error)
            return
        self._torn = False
        with suppress(OSError):
            self._release()

    def _check(self) -> None:
        if self.broken:
            raise self.broken

    def _acquire(self, queue: deque[threading.Lock], until: float | None) -> None:
        with self._mutex:
            self._check()
            if not self._busy:
                self._busy = True
                return
            gate = threading.Lock()
            gate.acquire()
            queue.append(gate)
        try:
            mine = gate.acquire(timeout=-1 if until is None else max(0, until - time.monotonic()))
        except BaseException:
            self._leave(queue, gate)
            raise
        if not mine:
            self._leave(queue, gate)
            raise late()
        self._check()

    def _leave(self, queue: deque[threading.Lock], gate: threading.Lock) -> None:
        """Waits no more for a turn; one that came just now is handed on."""
        with self._mutex:
            waiting = gate in queue
            if waiting:
                queue.remove(gate)
        if not waiting and not self.broken:
            self._release()

    def _release(self) -> None:
        """Writes what is owed, then hands the turn on. After half a frame nobody may write any more.

        Nobody waits for room here: whoever leaves its turn has no more to do with what is owed.
        """
        if self._torn and not self._left:
            self.fail(BrokenPipeError(errno.EPIPE, "a write was interrupted"))
            return
        try:
            while not self._left:
                if self._hand_on():
                    return
                with suppress(DeadlineExceeded):
                    self.write(self._take_control(), until=0)
        except OSError as error:
            self.fail(error)
            raise
        except BaseException:
            self.fail(BrokenPipeError(errno.EPIPE, "a write was interrupted"))
            raise
        self._handed_over, self._left = self._left, b""
        if not self.flush_elsewhere():
            self._finish()

    def _hand_on(self) -> bool:
        with self._mutex:
            if self._owes_control():
                return False
            if queue := self._small or self._bulk:
                queue.popleft().release()
            else:
                self._busy = False
        return True

    def retire(self, timeout: float) -> bool:
        """Nobody writes any more. Whether that is so within ``timeout`` seconds: one who is stuck may not
        have noticed yet."""
        gate = threading.Lock()
        with self._mutex:
            if self.broken:  # turns are handed on no more
                gate = self._using
            elif self._busy:
                gate.acquire()
                self._small.appendleft(gate)
            self._busy = True
        idle = gate.acquire(timeout=timeout)
        if idle and gate is self._using:
            gate.release()
        self.fail(BrokenPipeError(errno.EPIPE, "closed by this side"))
        return idle

    def settled(self, timeout: float) -> bool:
        """Whether no thread uses the descriptor any more, within ``timeout`` seconds. After ``fail``: then it
        may be closed. A write that comes too late would go to whatever gets its number next."""
        unused = self._using.acquire(timeout=timeout)
        if unused:
            self._using.release()
        return unused

    def fail(self, error: OSError) -> None:
        """A frame may stand half written: nobody writes any more."""
        with self._mutex:
            self.broken = error
            for queue in (self._small, self._bulk):
                while queue:
                    queue.popleft().release()
        with suppress(RuntimeError):
            self._nudge.release()  # its thread ends


class Turn:
    """Enters and leaves a turn."""

    __slots__ = ("_output", "_queue", "_until")

    def __init__(self, output: Output, queue: deque[threading.Lock], until: float | None) -> None:
        self._output = output
        self._queue = queue
        self._until = until

    def __enter__(self) -> None:
        self._output._acquire(self._queue, self._until)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, OSError):
            self._output.fail(error)
        else:
            self._output._release()
