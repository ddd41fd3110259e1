"""The state of one connection, as far as both sides share it.

Nothing here does I/O or locks. Whoever drives a connection hands in each frame that arrived and acts on the
event that comes back, and asks for the bytes of each frame to send, in the order in which it sends them.
Answers that the protocol itself owes (window updates, pongs, refusals) gather in ``take_control``, bounded:
one update a stream, one pong, and twice the stream limit of refusals.
"""

from __future__ import annotations

from udist_plugin.errors import LocalProtocolError, ProtocolError, RemoteProtocolError, VersionMismatch
from udist_plugin.typed import TYPE_CHECKING, Final
from udist_plugin.wire import heads
from udist_plugin.wire.constants import DECLARED_CREDIT, INITIAL_STREAMS, MAX_DATA, MAX_MESSAGE, VERSION
from udist_plugin.wire.encoding import encode, encode_data_head
from udist_plugin.wire.frames import (
    End,
    Frame,
    GoAway,
    Log,
    Ping,
    Request,
    Reset,
    Response,
    Settings,
    WindowUpdate,
)
from udist_plugin.wire.stream import Half, Input, Stream
from udist_plugin.wire.windows import Budget

if TYPE_CHECKING:
    from udist_plugin.wire.frames import Fields

LARGEST_WINDOW: Final = 8 << 20
"""What one busy stream may be ahead, in bytes: beyond 4 to 8 MiB nothing was gained."""


# Plain classes: a named tuple takes ten times as long to make, which every start would feel.


class HeadReceived:
    """A request's or a response's head."""

    __slots__ = ("head", "stream")

    def __init__(self, stream: Stream, head: Request | Response) -> None:
        self.stream = stream
        self.head = head


class EndReceived:
    """Content ended by an ``end`` frame."""

    __slots__ = ("stream", "trailers")

    def __init__(self, stream: Stream, trailers: Fields) -> None:
        self.stream = stream
        self.trailers = trailers


class CreditReceived:
    """More may be sent on the stream."""

    __slots__ = ("stream",)

    def __init__(self, stream: Stream) -> None:
        self.stream = stream


class ResetReceived:
    """The peer, or a fault that this side found, ended the stream."""

    __slots__ = ("reset", "stream")

    def __init__(self, stream: Stream, reset: Reset) -> None:
        self.stream = stream
        self.reset = reset


class ConnectionReceived:
    """A frame about the connection itself."""

    __slots__ = ("body",)

    def __init__(self, body: Settings | GoAway | Log) -> None:
        self.body = body


_FIRST = (Settings, GoAway)
_HEADS = (Request, Response)
_LAST = (End, Reset)
_ON_CONNECTION = (Settings, Ping, GoAway, Log)

Event = HeadReceived | EndReceived | CreditReceived | ResetReceived | ConnectionReceived


class StreamFault(ProtocolError):
    """The peer broke a rule whose breach ends only this stream; the connection sees to its reset."""

    def __init__(self, stream: Stream, reset: Reset) -> None:
        self.stream = stream
        self.reset = reset
        super().__init__(reset.message)


class Connection:
    """Both sides' rules. ``memory`` bounds, in bytes, what windows may grow to beyond their first credit."""

    def __init__(self, *, memory: int, max_streams: int = INITIAL_STREAMS) -> None:
        self.streams: dict[int, Stream] = {}
        self.highest_id = 0
        self.max_streams = max_streams
        self.peer: Settings | None = None
        self.going_away: GoAway | None = None
        self.consumed = 0
        """Bytes that consumers have read, of all streams."""
        self._budget = Budget(memory)
        self._updates: dict[int, int] = {}
        self._pong: Ping | None = None
        self._refusals: list[bytes] = []

    @property
    def declares_credit(self) -> bool:
        """Whether the peer knows of requests that say how much credit their stream begins with."""
        return self.peer is not None and DECLARED_CREDIT in self.peer.capabilities

    def receive(self, frame: Frame) -> Event | None:
        """Takes in any frame but data; ``None`` asks for nothing.

        Raises ``RemoteProtocolError`` for what ends the connection and ``StreamFault`` for what ends one
        stream.
        """
        body = frame.body
        if self.peer is None and not isinstance(body, _FIRST):
            raise RemoteProtocolError(f"{_name(body)} before settings")
        if frame.end_stream and not isinstance(body, _HEADS):
            raise RemoteProtocolError(f"end_stream on {_name(body)}")
        if isinstance(body, _ON_CONNECTION):
            if frame.stream_id:
                raise RemoteProtocolError(f"{_name(body)} on stream {frame.stream_id}")
            return self._receive_on_connection(body)
        if not frame.stream_id:
            raise RemoteProtocolError(f"{_name(body)} on stream 0")
        if isinstance(body, _HEADS):
            return self._receive_head(frame.stream_id, body, frame.end_stream)
        if not (stream := self._find(frame.stream_id, isinstance(body, _LAST))):
            return None
        if isinstance(body, End):
            self._advance_incoming(stream, Input.END, True)
            if problem := heads.fields_problem(body.trailers):
                raise self._fault(stream, "INVALID_ARGUMENT", problem)
            return EndReceived(stream, body.trailers)
        if isinstance(body, WindowUpdate):
            stream.send_window.grow(body.credit)
            return CreditReceived(stream)
        assert isinstance(body, Reset)
        return self._receive_reset(stream, body._replace(message=body.message[:MAX_MESSAGE]))

    def receive_data(self, stream_id: int, length: int, end_stream: bool) -> Stream | None:
        """Takes in a data frame by its head; ``None`` tells to drop the payload, its stream is closed.

        Raises as ``receive`` does; after a ``StreamFault`` the payload is dropped too.
        """
        if self.peer is None:
            raise RemoteProtocolError("data before settings")
        if not stream_id:
            raise RemoteProtocolError("data on stream 0")
        if not length and not end_stream:
            raise RemoteProtocolError(f"data without payload or end on stream {stream_id}")
        if length > MAX_DATA:
            raise RemoteProtocolError(f"a payload of {length} bytes exceeds the limit of {MAX_DATA}")
        if not (stream := self._find(stream_id, end_stream)):
            return None
        stream.receive_window.receive(length)
        stream.received += length
        self._advance_incoming(stream, Input.DATA, end_stream)
        return stream

    def consume(self, stream: Stream, length: int) -> None:
        """The consumer has read ``length`` bytes of ``stream``."""
        self.consumed += length
        if credit := stream.receive_window.consume(length):
            self._updates[stream.id] = self._updates.get(stream.id, 0) + credit

    def take_control(self) -> bytes:
        """The frames that overtake all others, encoded; empty when none is owed."""
        frames = self._refusals
        self._refusals = []
        if self._updates:
            frames += [encode(Frame(key, WindowUpdate(credit))) for key, credit in self._updates.items()]
            self._updates = {}
        if self._pong:
            frames.append(encode(Frame(0, self._pong)))
            self._pong = None
        return b"".join(frames)

    @property
    def owes_control(self) -> bool:
        """Whether ``take_control`` would give anything."""
        return bool(self._updates or self._refusals or self._pong)

    def send_data(self, stream: Stream, length: int, end_stream: bool) -> bytes:
        """Head of a data frame of ``length`` payload bytes, which its credit must cover."""
        if length > stream.send_window.credit or length > MAX_DATA or not (length or end_stream):
            raise LocalProtocolError(f"data of {length} bytes on {stream.send_window.credit} bytes of credit")
        self._advance_outgoing(stream, Input.DATA, end_stream)
        stream.send_window.credit -= length
        return encode_data_head(stream.id, length, end_stream)

    def send_end(self, stream: Stream, trailers: Fields = ()) -> bytes:
        """Ends the outgoing direction."""
        if problem := heads.fields_problem(trailers):
            raise LocalProtocolError(problem)
        frame = encode(Frame(stream.id, End(trailers)))
        self._advance_outgoing(stream, Input.END, True)
        return frame

    def send_settings(self, settings: Settings) -> bytes:
        """The first frame."""
        return encode(Frame(0, settings))

    def send_ping(self, token: int) -> bytes:
        return encode(Frame(0, Ping(token)))

    def _receive_on_connection(self, body: Settings | Ping | GoAway | Log) -> Event | None:
        if isinstance(body, Ping):
            if not body.ack:
                self._pong = Ping(body.token, True)
            return None
        if isinstance(body, Settings):
            if self.peer is not None:
                raise RemoteProtocolError("settings twice")
            self._check_settings(body)
            self.peer = body
        elif isinstance(body, GoAway):
            body = body._replace(message=body.message[:MAX_MESSAGE])
            self.going_away = body
        return ConnectionReceived(body)

    def _check_settings(self, settings: Settings) -> None:
        if VERSION not in settings.versions:
            spoken = ", ".join(map(str, settings.versions)) or "none"
            name = f" ({settings.implementation})" if settings.implementation else ""
            raise VersionMismatch(f"no common version: the peer{name} speaks {spoken}, this side {VERSION}")

    def _receive_head(self, stream_id: int, head: Request | Response, end_stream: bool) -> Event | None:
        raise NotImplementedError

    def _receive_reset(self, stream: Stream, reset: Reset) -> Event | None:
        raise NotImplementedError

    def _find(self, stream_id: int, ends: bool) -> Stream | None:  # noqa: ARG002 - the caller's side needs it
        """The open stream; ``None`` for one that was closed before."""
        stream = self.streams.get(stream_id)
        if stream is None and (stream_id > self.highest_id or not stream_id % 2):
            raise RemoteProtocolError(f"stream {stream_id} was never opened")
        return None if stream is None or stream.reset else stream

    def _advance_incoming(self, stream: Stream, what: Input, end_stream: bool) -> None:
        stream.advance_incoming(what, end_stream)
        if problem := stream.miscounted:
            raise self._fault(stream, "INTERNAL", problem)
        if stream.incoming is Half.DONE:
            self._updates.pop(stream.id, None)
            stream.receive_window.end()
            self._incoming_done(stream)

    def _incoming_done(self, stream: Stream) -> None:
        """A hook: the peer's direction has ended as it should."""

    def _advance_outgoing(self, stream: Stream, what: Input, end_stream: bool) -> None:
        stream.advance_outgoing(what, end_stream)
        if stream.outgoing is Half.DONE:
            self._outgoing_done(stream)

    def _outgoing_done(self, stream: Stream) -> None:
        """A hook: this side's direction has ended."""

    def _fault(self, stream: Stream, code: str, message: str) -> StreamFault:
        reset = Reset(code, message)
        self._end(stream, reset)
        return StreamFault(stream, reset)

    def _end(self, stream: Stream, reset: Reset) -> None:
        """Marks the stream as reset, and drops what was to be said about it."""
        stream.reset = reset
        self._updates.pop(stream.id, None)
        stream.receive_window.close()

    def _refuse(self, stream_id: int, reset: Reset) -> None:
        if len(self._refusals) >= 2 * self.max_streams:
            raise RemoteProtocolError("more refusals are owed than the peer reads")
        self._refusals.append(encode(Frame(stream_id, reset)))


def _name(body: object) -> str:
    return "a frame without body" if body is None else type(body).__name__.lower()
