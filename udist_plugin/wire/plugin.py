"""The plugin's side of a connection: it takes up requests and answers them."""

from __future__ import annotations

from udist_plugin.errors import LocalProtocolError, RemoteProtocolError
from udist_plugin.wire import heads
from udist_plugin.wire.connection import LARGEST_WINDOW, Connection, Event, HeadReceived, ResetReceived
from udist_plugin.wire.constants import (
    INITIAL_CREDIT,
    INITIAL_STREAMS,
    MAX_MESSAGE,
    MAX_STREAM_ID,
    SMALL_CREDIT,
)
from udist_plugin.wire.encoding import encode
from udist_plugin.wire.frames import Frame, GoAway, Request, Reset, Response, Settings
from udist_plugin.wire.stream import Input, Stream


class PluginConnection(Connection):
    """A stream keeps its slot until its worker says that it has finished, not until it is reset.

    So the plugin's last frame about a stream tells that the slot is free, and a fault found in a stream is
    reported only then; until then the caller is held by its credit, which no longer grows.
    """

    def send_settings(self, settings: Settings) -> bytes:
        """The first frame; from here on there are as many streams as it says."""
        self.max_streams = settings.max_streams or self.max_streams
        return super().send_settings(settings)

    def respond(self, stream: Stream, response: Response, end_stream: bool) -> bytes:
        """The response's head. Raises ``LocalProtocolError`` for one that may not travel."""
        if problem := heads.response_problem(response):
            raise LocalProtocolError(problem)
        frame = encode(Frame(stream.id, response, end_stream))
        self._advance_outgoing(stream, Input.HEAD, end_stream)
        return frame

    def finish(
        self, stream: Stream, code: str = "OK", message: str = "", *, unprocessed: bool = False
    ) -> bytes:
        """The worker has done what it will do: the slot is free. The reset that this owes, or empty.

        A response that ended before its request is followed by ``reset(OK)``, one that did not end by
        ``reset(code)``, a fault by its own, and a caller's reset is answered with the same code, so that it
        knows of the free slot.
        """
        if self.streams.pop(stream.id, None) is None:
            return b""
        if stream.done:
            stream.receive_window.close()
            return b""
        cause = stream.reset
        reset = Reset(cause.code, cause.message) if cause else Reset(code, message[:MAX_MESSAGE], unprocessed)
        self._end(stream, reset)
        return encode(Frame(stream.id, reset))

    def go_away(self, code: str, message: str) -> bytes:
        """No stream above the last one taken up is served."""
        self.going_away = GoAway(self.highest_id, code, message[:MAX_MESSAGE])
        return encode(Frame(0, self.going_away))

    def _receive_head(self, stream_id: int, head: Request | Response, end_stream: bool) -> Event | None:
        if isinstance(head, Response):
            raise RemoteProtocolError("a response from the caller")
        if stream_id <= self.highest_id or not stream_id % 2 or stream_id > MAX_STREAM_ID:
            raise RemoteProtocolError(f"a request on stream {stream_id} after stream {self.highest_id}")
        self.highest_id = stream_id
        if self.going_away:
            self._refuse(stream_id, Reset("UNAVAILABLE", "the plugin is going away", True))
            return None
        if len(self.streams) >= self.max_streams:
            problem = f"more than {self.max_streams} streams at once"
            self._refuse(stream_id, Reset("RESOURCE_EXHAUSTED", problem, True))
            return None
        if len(self.streams) >= INITIAL_STREAMS and (head.initial_credit or INITIAL_CREDIT) > SMALL_CREDIT:
            problem = f"more than {SMALL_CREDIT} bytes of initial credit beside {INITIAL_STREAMS} streams"
            self._refuse(stream_id, Reset("RESOURCE_EXHAUSTED", problem, True))
            return None
        stream = Stream(stream_id, self._budget, LARGEST_WINDOW, head.initial_credit)
        fault = heads.request_problem(head) or stream.declare(head, end_stream)
        if head.file and not end_stream:
            fault = "file is followed by content"
        if fault:
            self._refuse(stream_id, Reset("INVALID_ARGUMENT", f"the request's {fault}", True))
            return None
        self.streams[stream_id] = stream
        self._advance_incoming(stream, Input.HEAD, end_stream)
        return HeadReceived(stream, head)

    def _receive_reset(self, stream: Stream, reset: Reset) -> Event | None:
        self._end(stream, reset)
        return ResetReceived(stream, reset)
