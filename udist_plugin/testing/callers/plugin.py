"""The plugin's part: frames to and from the client, and the rules that the client has to keep."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from udist_plugin.errors import RemoteProtocolError
from udist_plugin.testing.callers.errors import Unexpected
from udist_plugin.testing.callers.process import Process
from udist_plugin.testing.callers.stream import Stream
from udist_plugin.wire.constants import (
    DECLARED_CREDIT,
    FILES,
    INITIAL_CREDIT,
    INITIAL_STREAMS,
    MAX_STREAM_ID,
    PREFIX_SIZE,
    SMALL_CREDIT,
    VERSION,
)
from udist_plugin.wire.decoding import decode
from udist_plugin.wire.encoding import encode, encode_data_head
from udist_plugin.wire.frames import Frame, GoAway, Ping, Request, Settings
from udist_plugin.wire.framing import check_control_length, frame_length
from udist_plugin.wire.heads import content_length, request_problem

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Sequence

    from udist_plugin.testing.callers.pump import Pump
    from udist_plugin.wire.frames import Body

SHOWN: Final = 100
"""Characters of a frame that are shown."""


class Plugin(Process):
    """Plays the plugin on the pipes of the process that the client started.

    ``settings`` are the client's, ``streams`` all that it has opened; while ``shares_files``, their content
    may stand in files. ``note`` gets a line about each frame.
    """

    def __init__(self, pump: Pump, connection: socket.socket, note: Callable[[str], None]) -> None:
        super().__init__(pump, connection)
        self.settings: Settings | None = None
        self.streams: dict[int, Stream] = {}
        self.shares_files = False
        self._note = note
        self._slots = INITIAL_STREAMS
        self._heeds_credit = False
        self._is_ready = False
        self._token = 0
        self._pongs: list[int] = []

    # What the plugin sends

    def ready(
        self,
        *,
        max_streams: int = INITIAL_STREAMS,
        versions: Sequence[int] = (VERSION,),
        process_id: int = 0,
        heeds_credit: bool = False,
    ) -> None:
        """Sends settings: the plugin is ready. With ``process_id`` it shares files, as that process; and it
        ``heeds_credit`` that requests declare."""
        self.settings_sent(max_streams)
        self.shares_files = process_id == self.pid if process_id else False
        self._heeds_credit = heeds_credit
        self.send(
            Settings(
                versions,
                max_streams,
                [*([FILES] if process_id else []), *([DECLARED_CREDIT] if heeds_credit else [])],
                "udist-callers/1",
                process_id or os.getpid(),
            )
        )

    def settings_sent(self, max_streams: int = INITIAL_STREAMS) -> None:
        """Settings go out as bytes of the case's own."""
        self._is_ready = True
        self._slots = max(max_streams, INITIAL_STREAMS)

    def send(self, body: Body, stream_id: int = 0, *, end_stream: bool = False) -> None:
        """Sends a frame, a wrong one too."""
        self.raw(encode(Frame(stream_id, body, end_stream)), _shown(stream_id, body, end_stream))

    def raw(self, data: bytes, what: str) -> None:
        """Sends bytes."""
        self._note(f"plugin: {what}")
        self.write(data)

    def complain(self, text: bytes) -> None:
        """Writes to standard error, which the client has to read."""
        if not self.write_error(text, self._pump.timeout):
            raise Unexpected(f"nobody reads the plugin's standard error, for {self._pump.timeout:g} s")

    def ping(self) -> None:
        """Sends a ping and waits for its answer: the client has taken in all frames before it.

        Only while an exchange waits for the plugin: otherwise a client need not read.
        """
        self._token += 1
        token = self._token
        self.send(Ping(token))
        self.await_pong(token)

    def go_away(self, last_stream_id: int, code: str = "UNAVAILABLE", message: str = "") -> None:
        """Takes no streams above ``last_stream_id``."""
        self.send(GoAway(last_stream_id, code, message))

    # What the plugin waits for

    def until(self, reached: Callable[[], object], expected: str, timeout: float = 0.0) -> None:
        """Waits until ``reached()``. Raises ``Unexpected``."""
        self._pump.until(reached, expected, timeout)

    def await_settings(self) -> Settings:
        """Waits for the client's settings."""
        self.until(lambda: self.settings or self.input_ended, "the client's settings")
        if not self.settings:
            raise Unexpected("the client closed the plugin's standard input before it sent settings")
        return self.settings

    def await_pong(self, token: int) -> None:
        """Waits for the answer to a ping."""
        self.until(lambda: token in self._pongs, f"the answer to ping {token}")

    def await_written(self) -> None:
        """Waits until the client has taken all that was sent, as far as its pipe holds no more."""
        self.until(lambda: not self.unwritten, "the client to read the plugin's standard output")

    def find(self, target: str) -> Stream | None:
        """The newest stream with a request for ``target``."""
        return next((each for each in reversed(self.streams.values()) if each.request.target == target), None)

    def await_next(self, stream: Stream) -> Stream:
        """Waits for another request for the target of ``stream``."""
        target = stream.request.target
        self.until(lambda: self.find(target) is not stream, f"another request for {target}")
        found = self.find(target)
        assert found
        return found

    # What the client sends

    def _read(self) -> None:
        super()._read()
        while (end := self._frame_end()) <= len(self.input):
            raw = bytes(self.input[:end])
            del self.input[:end]
            self._take(raw)
        if self.input_ended and self.input:
            raise Unexpected(f"the client's output ended within a frame: {bytes(self.input[:32]).hex(' ')}")

    def _frame_end(self) -> int:
        if len(self.input) < PREFIX_SIZE:
            return PREFIX_SIZE
        try:
            return PREFIX_SIZE + frame_length(self.input)
        except RemoteProtocolError as error:
            raise Unexpected(
                f"the client sent what is not a frame: {error}: {bytes(self.input[:32])!r}"
            ) from None

    def _take(self, raw: bytes) -> None:
        try:
            frame, payload = decode(raw[PREFIX_SIZE:])
            if payload is None:
                check_control_length(len(raw) - PREFIX_SIZE)
        except RemoteProtocolError as error:
            raise Unexpected(f"the client sent what is not a frame: {error}: {raw[:32].hex(' ')}") from None
        body = f"data of {len(payload)} bytes" if payload is not None else frame.body
        self._note(f"client: {_shown(frame.stream_id, body, frame.end_stream)}")
        if self.settings is None and not isinstance(frame.body, Settings):
            raise Unexpected(f"the client's first frame was not settings: {raw[:32].hex(' ')}")
        if payload is not None:
            head = encode_data_head(frame.stream_id, len(payload), frame.end_stream)
            if raw != head + payload:
                raise Unexpected(f"data in a frame that is not canonical: {raw[:32].hex(' ')}")
            self._stream(frame).receive(frame, payload)
            return
        if frame.end_stream and not isinstance(frame.body, Request):
            raise Unexpected(f"end_stream on a frame that is neither a head nor data: {raw[:32].hex(' ')}")
        match frame.body:
            case Settings() | Ping() | GoAway() as body:
                if frame.stream_id:
                    raise Unexpected(f"{type(body).__name__} came on stream {frame.stream_id}")
                self._receive_on_connection(body)
            case Request() as request:
                self._open(frame.stream_id, request, frame.end_stream)
            case _:
                self._stream(frame).receive(frame, None)

    def _receive_on_connection(self, body: Settings | Ping | GoAway) -> None:
        match body:
            case Settings():
                if self.settings:
                    raise Unexpected("the client sent settings twice")
                self.settings = body
            case Ping(token, True):
                self._pongs.append(token)
            case Ping(token):
                if not self._is_ready:
                    raise Unexpected("the client sent a ping before the plugin's settings")
                self.send(Ping(token, True))
            case GoAway():
                self.end(1)

    def _open(self, stream_id: int, request: Request, ended: bool) -> None:
        last = max(self.streams, default=-1)
        if not stream_id % 2 or not last < stream_id <= MAX_STREAM_ID:
            raise Unexpected(f"a request on stream {stream_id} after stream {last}")
        problem = request_problem(request) or self._file_problem(request, ended)
        try:
            length = content_length(request.fields)
        except ValueError as error:
            problem = str(error)
        else:
            if request.file and request.file.length != length:
                problem = f"content-length is {length}, its file has {request.file.length} bytes"
        if problem:
            raise Unexpected(f"a request that may not travel: {problem}")
        open_now = sum(not stream.closed for stream in self.streams.values())
        if open_now >= self._slots:
            raise Unexpected(f"a request came while all of the plugin's {self._slots} slots were in use")
        self._check_credit(request.initial_credit, open_now)
        self.streams[stream_id] = Stream(self, stream_id, request, ended)

    def _file_problem(self, request: Request, ended: bool) -> str | None:
        if not (request.accept_file or request.file):
            return None
        if not self.shares_files:
            return "a file where none are shared, or one was unusable"
        if request.accept_file and (request.method != "GET" or not ended or request.file):
            return "accept_file in what is no GET without content"
        return None if ended else "a file with content behind it"

    def _check_credit(self, declared: int, open_now: int) -> None:
        if declared and not self._heeds_credit:
            raise Unexpected(f"a request declares {declared} bytes of credit, which the plugin does not heed")
        credit = declared or INITIAL_CREDIT
        if self._heeds_credit and open_now >= INITIAL_STREAMS and credit > SMALL_CREDIT:
            raise Unexpected(f"a request beside {open_now} streams begins with {credit} bytes of credit")

    def _stream(self, frame: Frame) -> Stream:
        if frame.stream_id not in self.streams:
            raise Unexpected(f"a frame came on stream {frame.stream_id}, which was never opened")
        return self.streams[frame.stream_id]


def _shown(stream_id: int, what: object, end_stream: bool) -> str:
    text = str(what)
    text = text if len(text) <= SHOWN else f"{text[:SHOWN]} ..."
    return (f"stream {stream_id}: " if stream_id else "") + text + (", the last" if end_stream else "")
