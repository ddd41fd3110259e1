"""One connection over a pair of descriptors, shared by any number of threads.

``role`` says who reads, ``intake`` what becomes of a frame, ``output`` who writes. The reader never writes,
and waits for nothing but the descriptor.

Lock order: a turn of ``output`` first, then ``lock``. ``lock`` guards the connection's state and every inbox,
and is never held across I/O.
"""

from __future__ import annotations

import threading

from udist_plugin.link.buffers import BufferPool
from udist_plugin.link.intake import Intake
from udist_plugin.link.output import Output
from udist_plugin.link.role import Role
from udist_plugin.link.splice import Stage
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from udist_plugin.errors import TransportError, UdistError
    from udist_plugin.link.errors import Truncated
    from udist_plugin.wire.connection import Connection, ConnectionReceived, HeadReceived
    from udist_plugin.wire.stream import Stream


class Link:
    """Drives ``connection`` over the descriptors ``source``, read from, and ``sink``, written to.

    ``payload`` is the largest data payload to send, in bytes. ``stall`` bounds, in seconds, how long a write
    or a frame that has begun may stand still; ``None`` leaves that to the peer. ``peer`` is a descriptor that
    is readable once the peer's process has ended, if there is such. ``source_blocks``: a read of the source
    may wait.
    """

    source_blocks = False

    def __init__(
        self,
        connection: Connection,
        source: int,
        sink: int,
        *,
        payload: int,
        stall: float | None,
        peer: int = -1,
        keeps_role: Callable[[], bool] | None = None,
    ) -> None:
        self.connection = connection
        self.source = source
        self.payload = payload
        self.lock = threading.Lock()
        self.pool = BufferPool()
        self.stage = Stage(payload)
        self.fallback_stage = Stage(payload, portable=True)
        self.output = Output(sink, self.take_control, self.owes_control, stall, peer)
        self.intake = Intake(source, self, self.lock, stall)
        self.role = Role(self.lock, self._read_frame, keeps_role)
        self.wait = self.role.wait
        self.wake = self.role.wake

    @property
    def error(self) -> TransportError | None:
        """Why the connection is over, if it is."""
        return self.role.error

    def fail(self, error: TransportError) -> None:
        """The connection is over: every wait ends with ``error``. Under ``lock``."""
        self.role.fail(error)
        for stream in list(self.connection.streams.values()):
            if stream.owner and self.ends(stream, error):
                stream.owner.fail(error)
        self.intake.fail(error)

    def settled(self, timeout: float) -> bool:
        """Whether no thread reads any more, within ``timeout`` seconds. After ``fail``."""
        with self.lock:
            return self.role.settled(timeout)

    def wait_readable(self, seconds: float | None) -> None:
        """Called when the source would block; returns once it is readable. Raises ``Interrupted``, after so
        many ``seconds`` at the latest if that is a number, and ``EOFError`` when nothing more will come."""
        raise NotImplementedError

    def at_end(self) -> TransportError:
        """What the end of the source means. Not under ``lock``."""
        raise NotImplementedError

    def at_cut(self, error: Truncated) -> TransportError:
        """What an end of the source within a frame means. Not under ``lock``."""
        return self.on_broken(error)

    def on_broken(self, error: UdistError) -> TransportError:
        """The peer broke the protocol, or the descriptor failed."""
        raise NotImplementedError

    def on_head(self, event: HeadReceived) -> None:
        """A head has come. Under ``lock``."""
        raise NotImplementedError

    def on_connection(self, event: ConnectionReceived) -> None:
        """Settings, a go-away or a log record has come. Under ``lock``."""
        raise NotImplementedError

    def on_owed(self) -> None:
        """The protocol owes the peer frames. Under ``lock``."""
        self.output.flush_elsewhere()

    def ends(self, stream: Stream, error: TransportError) -> bool:  # noqa: ARG002
        """A hook: whether the end of the link by ``error`` is that of ``stream`` too. Under ``lock``."""
        return True

    def spin_now(self) -> float:
        """A hook: for how many seconds to look for a frame before a read that blocks. Under ``lock``."""
        return 0.0

    def on_frame(self) -> None:
        """A hook: a frame was taken in. Under ``lock``."""

    def sent_last(self, stream: Stream) -> bytes:  # noqa: ARG002
        """A hook: the last frame of ``stream`` is sent; the bytes go right behind. Under ``lock``."""
        return b""

    def owes_control(self) -> bool:
        """Whether ``take_control`` would give anything."""
        return self.connection.owes_control

    def take_control(self) -> bytes:
        """The frames that go before all others."""
        with self.lock:
            return self.connection.take_control()

    def _read_frame(self) -> None:
        self.intake.read(timed=self.source_blocks and self.role.timed, spin=self.spin_now())
