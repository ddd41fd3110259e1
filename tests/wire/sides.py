"""Either side of a connection, driven by bytes: what a frame leads to, and what sending one writes."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from udist_plugin.errors import RemoteProtocolError
from udist_plugin.link.input import Interrupted
from udist_plugin.wire.caller import CallerConnection
from udist_plugin.wire.connection import (
    Connection,
    ConnectionReceived,
    CreditReceived,
    EndReceived,
    Event,
    HeadReceived,
    ResetReceived,
    StreamFault,
)
from udist_plugin.wire.constants import PREFIX_SIZE
from udist_plugin.wire.decoding import decode
from udist_plugin.wire.frames import (
    End,
    Frame,
    GoAway,
    Ping,
    Request,
    Reset,
    Response,
    Settings,
    WindowUpdate,
)
from udist_plugin.wire.framing import check_control_length, data_head, frame_length
from udist_plugin.wire.plugin import PluginConnection
from udist_plugin.wire.stream import Half

if TYPE_CHECKING:
    from udist_plugin.link.input import FrameInput
    from udist_plugin.wire.stream import Stream

NAMES: dict[type, str] = {
    HeadReceived: "head",
    EndReceived: "end",
    CreditReceived: "credit",
    ResetReceived: "reset",
}


def read(data: bytes) -> tuple[Frame, bytes | None]:
    """The one frame in ``data``, and its payload."""
    length = frame_length(data)
    assert len(data) == PREFIX_SIZE + length
    if head := data_head(data, 0, len(data)):
        return Frame(head.stream_id, None, head.end_stream), data[head.size :]
    check_control_length(length)
    return decode(data[PREFIX_SIZE:])


class Side:
    """``connection``, and the streams it has had."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.streams: dict[int, Stream] = {}

    def receive(self, data: bytes) -> str | dict[str, str]:
        """Takes in a frame; the name of what it leads to, as the vectors write it."""
        owed = self.connection.owes_control
        try:
            frame, payload = read(data)
            if payload is not None:
                stream = self.connection.receive_data(frame.stream_id, len(payload), frame.end_stream)
                return "data" if stream else "dropped"
            return self._name(self.connection.receive(frame), owed)
        except StreamFault as fault:
            return {"stream_error": fault.reset.code}
        except RemoteProtocolError as error:
            return {"connection_error": str(error)}

    def _name(self, event: Event | None, owed: bool) -> str | dict[str, str]:
        if isinstance(event, ConnectionReceived):
            return "go_away" if isinstance(event.body, GoAway) else type(event.body).__name__.lower()
        if event is not None:
            self.streams[event.stream.id] = event.stream
            return NAMES[type(event)]
        if owed or not self.connection.owes_control:
            return "dropped"
        answer = decode(self.connection._refusals[-1][PREFIX_SIZE:])[0] if self.connection._refusals else None
        if answer is None:
            return "ping"
        assert isinstance(answer.body, Reset)
        assert answer.body.unprocessed
        return {"refused": answer.body.code}

    def send(self, frame: Frame, payload: bytes | None) -> bytes:
        """Sends ``frame``; the bytes that our side writes for it."""
        if self.connection.owes_control:
            return self.connection.take_control()
        if payload is not None:
            stream = self.streams[frame.stream_id]
            return self.connection.send_data(stream, len(payload), frame.end_stream) + payload
        match frame.body:
            case Settings() as settings:
                return self.connection.send_settings(settings)
            case Ping(token):
                return self.connection.send_ping(token)
            case WindowUpdate(credit):
                self.connection.consume(self.streams[frame.stream_id], credit)
                return self.connection.take_control()
            case End(trailers):
                return self.connection.send_end(self.streams[frame.stream_id], trailers)
            case _:
                return self._send_own(frame)

    def _send_own(self, frame: Frame) -> bytes:
        raise NotImplementedError


class Caller(Side):
    connection: CallerConnection

    def __init__(self) -> None:
        super().__init__(CallerConnection(memory=0))

    @property
    def slots(self) -> int:
        """What the caller counts as taken."""
        return len(self.connection.streams) + len(self.connection._aborted)

    def _send_own(self, frame: Frame) -> bytes:
        body: Any = frame.body
        if isinstance(body, Request):
            while self.connection.highest_id < frame.stream_id - 2:
                self.connection.highest_id += 2 if self.connection.highest_id else 1
            stream, data = self.connection.open(body, frame.end_stream)
            self.streams[stream.id] = stream
            return data
        assert isinstance(body, Reset)
        return self.connection.reset(self.streams[frame.stream_id], body.code, body.message)


class Plugin(Side):
    """What it sends last of a stream is followed by what ``finish`` owes."""

    connection: PluginConnection

    def __init__(self) -> None:
        super().__init__(PluginConnection(memory=0))
        self._owed = b""

    def send(self, frame: Frame, payload: bytes | None) -> bytes:
        if self._owed:
            owed, self._owed = self._owed, b""
            return owed
        data = super().send(frame, payload)
        stream = self.streams.get(frame.stream_id)
        if stream and stream.outgoing is Half.DONE:
            self._owed = self.connection.finish(stream)
        return data

    def _send_own(self, frame: Frame) -> bytes:
        match frame.body:
            case Response() as head:
                return self.connection.respond(self.streams[frame.stream_id], head, frame.end_stream)
            case GoAway(_, code, message):
                return self.connection.go_away(code, message)
            case Reset(code, message, unprocessed):
                stream = self.streams[frame.stream_id]
                return self.connection.finish(stream, code, message, unprocessed=unprocessed)
            case _:
                raise AssertionError(frame)


def payload_of(reader: FrameInput, length: int) -> bytes:
    """The next ``length`` bytes of a frame, however often it is waited for them."""
    payload = bytearray(length)
    missing = memoryview(payload)
    while missing:
        missing = missing[reader.fill(missing) :]
        if missing:
            with suppress(Interrupted):
                reader.wait_for_rest(len(missing))
    return bytes(payload)
