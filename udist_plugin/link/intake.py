"""Takes frames in: from the descriptor into the connection's state, and on to the exchange each is for.

The reader never writes: what the protocol owes for a frame is written by another thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from udist_plugin.errors import Cancelled, TransportError, UdistError
from udist_plugin.link.errors import Truncated, as_error, reset_error
from udist_plugin.link.input import FrameInput, Interrupted
from udist_plugin.link.lock import take_back
from udist_plugin.wire.connection import (
    ConnectionReceived,
    EndReceived,
    HeadReceived,
    ResetReceived,
    StreamFault,
)
from udist_plugin.wire.decoding import decode
from udist_plugin.wire.framing import DataHead

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

        def wait_readable(self) -> None: ...

        def at_end(self) -> TransportError: ...

        def at_cut(self, error: Truncated) -> TransportError: ...

        def on_broken(self, error: UdistError) -> TransportError: ...

        def fail(self, error: TransportError) -> None: ...


class Intake:
    """Reads from the descriptor ``source`` for ``receiver``; every method is called under ``lock``. ``peer``
    is readable once the process that writes has ended. ``recorder``, if there is one, is told what comes."""

    recorder: Recorder | None = None

    def __init__(self, source: int, receiver: Receiver, lock: Lock, peer: int = -1) -> None:
        self._receiver = receiver
        self._lock = lock
        self._input = FrameInput(source, receiver.wait_readable, peer)
        self._filling: Any = None  # the exchange whose payload is being read

    def read(self, *, timed: bool) -> None:
        """Reads one frame and acts on it; the lock is let go of for every read.

        ``timed``: a read that would block is not to be begun, because the wait has an end. Raises
        ``Interrupted``. What is wrong with the peer or the descriptor ends the link instead.
        """
        self._input.timed = timed
        try:
            message = self._next()
            if isinstance(message, TransportError):
                self._fail(message)
            else:
                self._take_in(message)
        except Interrupted:
            raise
        except Truncated as error:
            self._fail(self._at_cut(error))
        except (UdistError, OSError) as error:
            self._fail(self._receiver.on_broken(as_error(error)))
        except BaseException:
            if not self._input.waiting:
                self._fail(Cancelled("interrupted while reading a frame"))
            raise

    def _fail(self, error: TransportError) -> None:
        if cut := self._filling:  # the last payload of its stream, maybe: that is none any more
            cut.faulty = True
            cut.fail(error)
            cut.inbox.settle(whole=False)
        self._receiver.fail(error)

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

    def _take_in(self, message: DataHead | tuple[Frame, bytes | None]) -> None:
        """Acts on one frame, and reads the payload if it has one."""
        try:
            event = self._receive(message)
        except StreamFault as fault:
            if exchange := fault.stream.owner:
                exchange.faulty = True
                exchange.fail(reset_error(fault.reset))
            event = None
        if event:
            self._dispatch(event)
        elif self._receiver.connection.owes_control:
            self._receiver.on_owed()
        self._receiver.on_frame()

    def _receive(self, message: DataHead | tuple[Frame, bytes | None]) -> Event | None:
        if isinstance(message, DataHead):
            self._take_data(message, None)
            return None
        frame, payload = message
        if payload is None:
            return self._receiver.connection.receive(frame)
        self._take_data(DataHead(frame.stream_id, frame.end_stream, len(payload), 0), payload)
        return None

    def _take_data(self, head: DataHead, payload: bytes | None) -> None:
        try:
            stream = self._receiver.connection.receive_data(head.stream_id, head.length, head.end_stream)
        except StreamFault:
            self._read_payload(None, head.length, payload)
            raise
        exchange = stream.owner if stream else None
        self._read_payload(exchange, head.length, payload)
        if exchange:
            self._receiver.wake(exchange)

    def _read_payload(self, exchange: Any, length: int, payload: bytes | None) -> None:
        if not length:
            return
        targets = exchange.inbox.claim(length) if exchange else []
        self._filling = exchange
        try:
            self._lock.release()
            if payload is not None:
                for target in targets:
                    target[:] = payload[: len(target)]
                    payload = payload[len(target) :]
            elif not targets:
                self._input.skip_payload(length)
            else:
                for target in targets:
                    self._input.read_payload(target)
            self._filling = None
        finally:
            try:
                take_back(self._lock)
            finally:
                if exchange and not self._filling:
                    exchange.inbox.settle()

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
