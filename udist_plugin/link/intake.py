"""Takes frames in: from the descriptor into the connection's state, and on to the exchange each is for.

The reader never writes: what the protocol owes for a frame is written by another thread.
"""

from __future__ import annotations

from udist_plugin.errors import Cancelled, TransportError, UdistError
from udist_plugin.link.errors import Truncated, as_error, reset_error
from udist_plugin.link.input import FrameInput, Interrupted
from udist_plugin.link.lock import take_back
from udist_plugin.typed import TYPE_CHECKING, Final
from udist_plugin.wire.connection import (
    ConnectionReceived,
    EndReceived,
    HeadReceived,
    ResetReceived,
    StreamFault,
)
from udist_plugin.wire.decoding import decode
from udist_plugin.wire.framing import DataHead

SCRATCH: Final = 64 << 10
"""Bytes dropped at a time."""

if TYPE_CHECKING:
    from threading import Lock
    from typing import Any, Protocol

    from udist_plugin.link.tracing import Recorder
    from udist_plugin.link.waiter import Waiter
    from udist_plugin.wire.connection import Connection, Event
    from udist_plugin.wire.frames import Frame

    class Receiver(Protocol):
        """Whose frames these are. All but ``at_end``, ``at_cut`` and ``wait_readable`` are called locked."""

        @property
        def connection(self) -> Connection: ...

        def on_head(self, event: HeadReceived) -> None: ...

        def on_connection(self, event: ConnectionReceived) -> None: ...

        def on_frame(self) -> None: ...

        def on_owed(self) -> None: ...

        def wake(self, who: Waiter) -> None: ...

        def wait_readable(self, seconds: float | None) -> None: ...

        def at_end(self) -> TransportError: ...

        def at_cut(self, error: Truncated) -> TransportError: ...

        def on_broken(self, error: UdistError) -> TransportError: ...

        def fail(self, error: TransportError) -> None: ...


class Intake:
    """Reads from the descriptor ``source`` for ``receiver``; every method is called under ``lock``. ``stall``
    is ``FrameInput``'s. ``recorder``, if there is one, is told what comes."""

    recorder: Recorder | None = None

    def __init__(self, source: int, receiver: Receiver, lock: Lock, stall: float | None) -> None:
        self._receiver = receiver
        self._lock = lock
        self._input = FrameInput(source, receiver.wait_readable, stall)
        self._missing = 0  # bytes of a payload
        self._targets: list[memoryview] = []
        self._exchange: Any = None

    @property
    def busy(self) -> bool:
        """Whether some of a payload has yet to come, though its stream may have ended with its head."""
        return bool(self._missing)

    def read(self, *, timed: bool, spin: float = 0.0) -> None:
        """Reads one frame and acts on it; the lock is let go of for every read.

        ``timed``: a read that would block is not to be begun, because the wait has an end. ``spin`` is
        ``FrameInput``'s. Raises ``Interrupted``; whoever reads next goes on with the same frame. What is
        wrong with the peer or the descriptor ends the link instead.
        """
        self._input.timed = timed
        self._input.spin = spin
        try:
            event = None
            if not self._missing:
                message = self._next()
                if isinstance(message, TransportError):
                    self._receiver.fail(message)
                    return
                event = self._receive(message)
            self._read_payload()
            if event:
                self._dispatch(event)
            elif self._receiver.connection.owes_control:
                self._receiver.on_owed()
            self._receiver.on_frame()
        except Interrupted:
            raise
        except Truncated as error:
            self._receiver.fail(self._at_cut(error))
        except (UdistError, OSError) as error:
            self._receiver.fail(self._receiver.on_broken(as_error(error)))
        except BaseException:
            if not self._input.waiting:
                self._receiver.fail(Cancelled("interrupted while reading a frame"))
            raise

    def fail(self, error: TransportError) -> None:
        """Ends the exchange whose payload does not come any more: its stream may be closed already."""
        exchange, self._exchange = self._exchange, None
        if exchange:
            exchange.faulty = True
            exchange.fail(error)
            exchange.inbox.settle(whole=False)

    def stray(self) -> bytes:
        """What was read where a frame should begin, and is none; empty if nothing was."""
        return self._input.stray()

    def _at_cut(self, error: Truncated) -> TransportError:
        """What an end within a frame means."""
        try:
            self._lock.release()
            return self._receiver.at_cut(error)
        finally:
            take_back(self._lock)

    def _next(self) -> DataHead | tuple[Frame, bytes | None] | TransportError:
        """The next frame, or what the end of the source means."""
        try:
            self._lock.release()
            item = self._input.next()
            if item is None:
                return self._receiver.at_end()
            message = decode(item) if isinstance(item, bytes) else item
            if self.recorder:
                self.recorder.received(message)
            return message
        finally:
            take_back(self._lock)

    def _receive(self, message: DataHead | tuple[Frame, bytes | None]) -> Event | None:
        try:
            if isinstance(message, DataHead):
                self._receive_data(message)
                return None
            frame, payload = message
            if payload is None:
                return self._receiver.connection.receive(frame)
            self._receive_data(DataHead(frame.stream_id, frame.end_stream, len(payload), 0), payload)
        except StreamFault as fault:
            if exchange := fault.stream.owner:
                exchange.faulty = True
                exchange.fail(reset_error(fault.reset))
        return None

    def _receive_data(self, head: DataHead, payload: bytes | None = None) -> None:
        """Puts ``payload`` where it belongs; without one, ``_read_payload`` will. It goes nowhere if its
        exchange is gone or faulty."""
        self._missing, self._targets, self._exchange = 0 if payload else head.length, [], None
        stream = self._receiver.connection.receive_data(head.stream_id, head.length, head.end_stream)
        if not stream or not stream.owner:
            return
        self._exchange = stream.owner
        self._targets = stream.owner.inbox.claim(head.length) if head.length else []
        if payload:
            for target in self._targets:
                target[:], payload = payload[: len(target)], payload[len(target) :]

    def _read_payload(self) -> None:
        """Reads the rest of a payload to where it belongs. Raises ``Interrupted``, and goes on later."""
        while self._missing:
            target = self._target()
            count = self._fill(target)
            self._missing -= count
            if self._targets:
                self._targets[0] = target[count:]
            if count < len(target):
                if count and self._exchange:
                    self._exchange.begin()  # however slowly, its content comes
                self._wait_for_rest()
        exchange, self._exchange = self._exchange, None
        if exchange:
            if dropped := exchange.inbox.settle():
                self._receiver.connection.consume(exchange.stream, dropped)
            self._receiver.wake(exchange)

    def _target(self) -> memoryview:
        """Where the next bytes go: nowhere, if nobody wants them any more."""
        if self._exchange and self._exchange.inbox.lost:
            self._targets = []
        while self._targets and not self._targets[0]:
            self._targets.pop(0)
        return self._targets[0] if self._targets else memoryview(bytearray(min(self._missing, SCRATCH)))

    def _fill(self, target: memoryview) -> int:
        inbox = self._exchange.inbox if self._exchange else None
        try:
            if inbox:
                inbox.writing = True
            self._lock.release()
            return self._input.fill(target)
        finally:
            try:
                take_back(self._lock)
            finally:
                if inbox:
                    inbox.writing = False

    def _wait_for_rest(self) -> None:
        if self._exchange and self._exchange.error:
            self._receiver.wake(self._exchange)  # it can leave now
        try:
            self._lock.release()
            self._input.wait_for_rest(self._missing)
        finally:
            take_back(self._lock)

    def _dispatch(self, event: Event) -> None:
        if isinstance(event, HeadReceived):
            self._receiver.on_head(event)
        elif isinstance(event, ConnectionReceived):
            self._receiver.on_connection(event)
        elif exchange := event.stream.owner:
            if isinstance(event, ResetReceived):
                exchange.fail(reset_error(event.reset))
            elif isinstance(event, EndReceived):
                exchange.trailers = event.trailers
            self._receiver.wake(exchange)
