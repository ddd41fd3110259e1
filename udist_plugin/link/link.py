"""One connection over a pair of descriptors, shared by any number of threads.

Reading is a role. A thread that waits for something takes it if it is free, reads frames for everybody until
its own wait is over, and passes it on; the others sleep. So the frame that somebody waits for is read by
whoever waits, into that one's buffer, and mostly no message changes threads. The role's holder never writes
and waits for nothing but the descriptor. Writing goes by ``output``'s turns.

Lock order: a turn of ``output`` first, then ``lock``. ``lock`` guards the connection's state and every inbox,
and is never held across I/O.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from udist_plugin.errors import Cancelled, DeadlineExceeded, TransportError, UdistError
from udist_plugin.link.buffers import BufferPool
from udist_plugin.link.exchange import Exchange, reset_error
from udist_plugin.link.input import FrameInput, Interrupted
from udist_plugin.link.output import Output
from udist_plugin.link.splice import Stage
from udist_plugin.link.waiter import Waiter
from udist_plugin.wire.connection import (
    ConnectionReceived,
    EndReceived,
    Event,
    HeadReceived,
    ResetReceived,
    StreamFault,
)
from udist_plugin.wire.decoding import decode
from udist_plugin.wire.framing import DataHead

if TYPE_CHECKING:
    from collections.abc import Callable

    from udist_plugin.wire.connection import Connection
    from udist_plugin.wire.frames import Frame
    from udist_plugin.wire.stream import Stream


class Link:
    """Drives ``connection`` over ``source`` and ``sink``.

    ``payload`` is the largest data payload to send, in bytes. ``stall`` bounds, in seconds, how long a write
    may stand still; ``None`` leaves that to the peer. ``source_blocks``: a read of the source may wait.
    """

    source_blocks = False

    def __init__(
        self, connection: Connection, source: int, sink: int, *, payload: int, stall: float | None
    ) -> None:
        self.connection = connection
        self.source = source
        self.payload = payload
        self.lock = threading.Lock()
        self.pool = BufferPool()
        self.stage = Stage(payload)
        self.fallback_stage = Stage(payload, portable=True)
        self.output = Output(sink, self._take_control, self._owes_control, stall)
        self.error: TransportError | None = None
        self._input = FrameInput(source, self.wait_readable)
        self._leader: Waiter | Link | None = None
        self._waiting: dict[threading.Lock, Waiter | None] = {}

    def wait(self, who: Waiter | None, ready: Callable[[], bool]) -> None:
        """Returns once ``ready()``, reading frames meanwhile if nobody else does. Under ``lock``.

        ``who`` is the exchange whose events wake this thread; ``None`` waits for a request. Raises the
        link's error, or ``DeadlineExceeded`` when its time is over.
        """
        if ready():
            return
        if who:
            who.begin()
        try:
            while not ready():
                self._check(who)
                if self._leader is None:
                    self._lead(who, ready)
                else:
                    self._follow(who)
        finally:
            if self._leader is None:
                self.on_role_free(who)

    def wake(self, who: Waiter) -> None:
        """Wakes whoever waits for ``who``. Under ``lock``."""
        while who.gates:
            gate = who.gates.pop()
            if self._waiting.pop(gate, None):
                gate.release()

    def wake_idle(self) -> None:
        """Wakes one thread that waits for a request, unless the reader is one. Under ``lock``."""
        if self._leader is not self:
            self._pass_on()

    def fail(self, error: TransportError) -> None:
        """The connection is over: every wait ends with ``error``. Under ``lock``."""
        if self.error is None:
            self.error = error
        for stream in list(self.connection.streams.values()):
            if stream.owner and self.ends(stream, error):
                stream.owner.fail(error)
        for gate in self._waiting:
            gate.release()
        self._waiting.clear()

    def settled(self, timeout: float) -> bool:
        """Whether no thread reads any more, within ``timeout`` seconds. After ``fail``."""
        end = time.monotonic() + timeout
        waiter = Waiter(end)
        with self.lock:
            while self._leader is not None and time.monotonic() < end:
                waiter.begin()
                self._follow(waiter)
            return self._leader is None

    def wait_readable(self) -> None:
        """Called when the source would block; returns once it is readable, or raises ``Interrupted``."""
        raise NotImplementedError

    def time_left(self) -> float | None:
        """Seconds that the reader may wait for a frame; ``None`` for any time."""
        until = self._leader.until if isinstance(self._leader, Waiter) else None
        return None if until is None else until - time.monotonic()

    def at_end(self) -> TransportError:
        """What the end of the source means."""
        raise NotImplementedError

    def on_broken(self, error: UdistError) -> TransportError:
        """The peer broke the protocol, or the descriptor failed."""
        raise NotImplementedError

    def on_head(self, event: HeadReceived) -> None:
        """A head has come. Under ``lock``."""
        raise NotImplementedError

    def on_connection(self, event: ConnectionReceived) -> None:
        """Settings, a go-away or a log record has come. Under ``lock``."""
        raise NotImplementedError

    def ends(self, stream: Stream, error: TransportError) -> bool:  # noqa: ARG002
        """A hook: whether the end of the link by ``error`` is that of ``stream`` too. Under ``lock``."""
        return True

    def on_frame(self) -> None:
        """A hook: a frame was taken in. Under ``lock``."""

    def on_role_free(self, who: Waiter | None) -> None:  # noqa: ARG002
        """A hook: ``who`` has waited, and nobody reads. Under ``lock``."""
        self._pass_on()

    def sent_last(self, exchange: Exchange) -> bytes:  # noqa: ARG002
        """A hook: ``exchange`` sends its last frame; the bytes go right behind. Under ``lock``."""
        return b""

    def _owes_control(self) -> bool:
        return self.connection.owes_control

    def _take_control(self) -> bytes:
        with self.lock:
            return self.connection.take_control()

    def _check(self, who: Waiter | None) -> None:
        """Raises what ends a wait, but not while a reader fills a buffer that is about to be given up."""
        if who and who.busy:
            return
        if self.error:
            raise self.error
        if who and who.over():
            raise DeadlineExceeded("the time given to the exchange was over")

    def _follow(self, who: Waiter | None) -> None:
        """Sleeps until woken, for one's own event or to take the role. Under ``lock``."""
        gate = threading.Lock()
        gate.acquire()
        self._waiting[gate] = who
        if who:
            who.gates.append(gate)
        try:
            self.lock.release()
            until = who.until if who else None
            gate.acquire(timeout=-1 if until is None else max(0, until - time.monotonic()) + 0.001)
        finally:
            try:
                self._take_lock_back()
            finally:
                self._waiting.pop(gate, None)
                if who and gate in who.gates:
                    who.gates.remove(gate)

    def _take_lock_back(self) -> None:
        """Takes ``lock`` though Ctrl-C comes meanwhile: the ``with`` it was let go of in will release it."""
        taken: list[bool] = []
        interrupt = None
        while not taken:
            try:
                taken.extend(map(self.lock.acquire, (True,)))  # in one call: no interrupt can part the two
            except BaseException as error:
                interrupt = error
        if interrupt:
            raise interrupt

    def _pass_on(self) -> None:
        """The role is free: wakes one waiter to take it, an idle one rather than one with work to do."""
        gate = next((gate for gate, who in self._waiting.items() if who is None), None)
        gate = gate or next(iter(self._waiting), None)
        if gate:
            who = self._waiting.pop(gate)
            if who:
                who.gates.remove(gate)
            gate.release()

    def _lead(self, who: Waiter | None, ready: Callable[[], bool]) -> None:
        """Reads frames until ``ready()`` or ``who``'s time is over, however many come for others. Under
        ``lock``, which is let go of for every read."""
        self._leader = who or self
        self._input.timed = self.source_blocks and who is not None and who.until is not None
        try:
            while not (self.error or ready() or (who and who.over())):
                message = self._next()
                if message is None:
                    self.fail(self.at_end())
                else:
                    self._take_in(message)
        except Interrupted:
            return
        except (UdistError, OSError) as error:
            self.fail(self.on_broken(as_error(error)))
        except BaseException:
            if not self._input.waiting:
                self.fail(Cancelled("interrupted while reading a frame"))
            raise
        finally:
            self._leader = None

    def _next(self) -> DataHead | tuple[Frame, bytes | None] | None:
        try:
            self.lock.release()
            item = self._input.next()
            return decode(item) if isinstance(item, bytes) else item
        finally:
            self._take_lock_back()

    def _take_in(self, message: DataHead | tuple[Frame, bytes | None]) -> None:
        """Acts on one frame, and reads the payload if it has one. Under ``lock``."""
        try:
            event = self._receive(message)
        except StreamFault as fault:
            if exchange := fault.stream.owner:
                exchange.faulty = True
                exchange.fail(reset_error(fault.reset))
            event = None
        if event:
            self._dispatch(event)
        elif self.connection.owes_control:
            self.output.flush_elsewhere()
        self.on_frame()

    def _receive(self, message: DataHead | tuple[Frame, bytes | None]) -> Event | None:
        if isinstance(message, DataHead):
            self._take_data(message, None)
            return None
        frame, payload = message
        if payload is None:
            return self.connection.receive(frame)
        self._take_data(DataHead(frame.stream_id, frame.end_stream, len(payload), 0), payload)
        return None

    def _take_data(self, head: DataHead, payload: bytes | None) -> None:
        try:
            stream = self.connection.receive_data(head.stream_id, head.length, head.end_stream)
        except StreamFault:
            self._read_payload(None, head.length, payload)
            raise
        exchange = stream.owner if stream else None
        self._read_payload(exchange, head.length, payload)
        if exchange:
            self.wake(exchange)

    def _read_payload(self, exchange: Exchange | None, length: int, payload: bytes | None) -> None:
        if not length:
            return
        targets = exchange.inbox.claim(exchange, length) if exchange else []
        try:
            self.lock.release()
            if payload is not None:
                for target in targets:
                    target[:] = payload[: len(target)]
                    payload = payload[len(target) :]
            elif not targets:
                self._input.skip_payload(length)
            else:
                for target in targets:
                    self._input.read_payload(target)
        finally:
            try:
                self._take_lock_back()
            finally:
                if exchange:
                    exchange.inbox.settle()

    def _dispatch(self, event: Event) -> None:
        if isinstance(event, HeadReceived):
            self.on_head(event)
        elif isinstance(event, ConnectionReceived):
            self.on_connection(event)
        elif exchange := event.stream.owner:
            if isinstance(event, ResetReceived):
                exchange.fail(reset_error(event.reset))
            elif isinstance(event, EndReceived):
                exchange.trailers = event.trailers
            self.wake(exchange)


def as_error(error: UdistError | OSError) -> UdistError:
    """An error of the descriptor as one of ours."""
    if isinstance(error, UdistError):
        return error
    return TransportError(error.strerror or str(error), code="UNAVAILABLE")
