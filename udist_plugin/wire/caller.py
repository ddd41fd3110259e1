"""The caller's side of a connection: it opens streams and receives responses."""

from __future__ import annotations

from udist_plugin.errors import LocalProtocolError, RemoteProtocolError
from udist_plugin.wire import heads
from udist_plugin.wire.connection import (
    LARGEST_WINDOW,
    Connection,
    Event,
    HeadReceived,
    ResetReceived,
    StreamFault,
)
from udist_plugin.wire.constants import INITIAL_STREAMS, MAX_MESSAGE, MAX_STREAM_ID, SMALL_CREDIT, VERSION
from udist_plugin.wire.encoding import encode
from udist_plugin.wire.frames import Frame, Request, Reset, Response, Settings
from udist_plugin.wire.stream import Half, Input, Stream


class CallerConnection(Connection):
    """A stream that the caller has reset still counts until the plugin has said its last about it: only then
    is the worker free that served it."""

    def __init__(self, *, memory: int) -> None:
        super().__init__(memory=memory)
        self._bodiless: set[int] = set()
        self._aborted: set[int] = set()

    @property
    def slots(self) -> int:
        """How many streams the plugin takes at once."""
        return max(self.peer.max_streams, INITIAL_STREAMS) if self.peer else INITIAL_STREAMS

    @property
    def can_open(self) -> bool:
        """Whether the plugin has a slot for one more stream."""
        return self._occupied < self.slots

    @property
    def _occupied(self) -> int:
        return len(self.streams) + len(self._aborted)

    @property
    def quiet(self) -> bool:
        """Whether the plugin has said its last about every stream, those that were reset included."""
        return not self.streams and not self._aborted

    @property
    def exhausted(self) -> bool:
        """No stream id is left, or the plugin is going away: time for a new one."""
        return self.highest_id >= MAX_STREAM_ID - 1 or self.going_away is not None

    def open(self, request: Request, end_stream: bool) -> tuple[Stream, bytes]:
        """A new stream and its request frame. Beyond the first streams it begins with little credit, so that
        many unread ones take little memory. Raises ``LocalProtocolError`` for a head that cannot travel."""
        if problem := heads.request_problem(request):
            raise LocalProtocolError(problem)
        if not self.can_open or self.exhausted:
            raise LocalProtocolError("no stream can be opened now")
        if self._occupied >= INITIAL_STREAMS and self.declares_credit:
            request = request._replace(initial_credit=SMALL_CREDIT)
        stream_id = self.highest_id + 1 if not self.highest_id else self.highest_id + 2
        frame = encode(Frame(stream_id, request, end_stream))
        stream = Stream(stream_id, self._budget, LARGEST_WINDOW, request.initial_credit)
        stream.accepts_file = request.accept_file
        self.highest_id = stream_id
        self.streams[stream_id] = stream
        if request.method == "HEAD":
            self._bodiless.add(stream_id)
        self._advance_outgoing(stream, Input.HEAD, end_stream)
        return stream, frame

    def reset(self, stream: Stream, code: str, message: str = "") -> bytes:
        """Gives up on a stream, or with ``OK`` on a file that is held; empty when it has ended already."""
        if stream.reset or stream.done:
            stream.receive_window.close()
            return b""
        self._aborted.add(stream.id)
        reset = Reset(code, message[:MAX_MESSAGE])
        self._end(stream, reset)
        return encode(Frame(stream.id, reset))

    def _check_settings(self, settings: Settings) -> None:
        super()._check_settings(settings)
        if list(settings.versions) != [VERSION]:
            raise RemoteProtocolError("the plugin chose more than one version")

    def _find(self, stream_id: int, ends: bool) -> Stream | None:
        if stream_id in self._aborted:
            if ends:
                self._aborted.discard(stream_id)
            return None
        return super()._find(stream_id, ends)

    def _receive_head(self, stream_id: int, head: Request | Response, end_stream: bool) -> Event | None:
        if isinstance(head, Request):
            raise RemoteProtocolError("a request from the plugin")
        if not (stream := self._find(stream_id, end_stream)):
            return None
        bodiless = stream_id in self._bodiless or head.status in (204, 304)
        self._advance_incoming(stream, Input.HEAD, end_stream)
        problem = heads.response_problem(head) or stream.declare(head, end_stream, bodiless)
        asked = stream.accepts_file and not (bodiless or end_stream) and head.status in (200, 206)
        if head.file and not asked:
            problem = "file is none that was asked for"
        if problem:
            raise self._fault(stream, "INTERNAL", f"the response's {problem}")
        return HeadReceived(stream, head)

    def _receive_reset(self, stream: Stream, reset: Reset) -> Event | None:
        if reset.code == "OK" and stream.incoming is not Half.DONE:
            reset = Reset("INTERNAL", "the plugin ended the stream before its response")
        self._end(stream, reset)
        return ResetReceived(stream, reset)

    def _incoming_done(self, stream: Stream) -> None:
        self._close_if_done(stream)

    def _outgoing_done(self, stream: Stream) -> None:
        self._close_if_done(stream)

    def _close_if_done(self, stream: Stream) -> None:
        if stream.done:
            self.streams.pop(stream.id, None)
            self._bodiless.discard(stream.id)

    def _fault(self, stream: Stream, code: str, message: str) -> StreamFault:
        fault = super()._fault(stream, code, message)
        if not stream.done:
            self._aborted.add(stream.id)
            self._refuse(stream.id, fault.reset)
        return fault

    def _end(self, stream: Stream, reset: Reset) -> None:
        super()._end(stream, reset)
        self.streams.pop(stream.id, None)
        self._bodiless.discard(stream.id)
