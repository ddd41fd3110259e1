"""Sends the caller's side of a trace to a plugin, and waits at each point for what the caller had seen."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from udist_plugin.client.process import PluginProcess
from udist_plugin.errors import HandshakeFailed, RemoteProtocolError
from udist_plugin.link.fds import ready_before_end, write_all
from udist_plugin.link.input import FrameInput
from udist_plugin.testing.trace.restoring import Places, restored
from udist_plugin.wire.constants import INITIAL_CREDIT, MAX_DATA
from udist_plugin.wire.decoding import decode
from udist_plugin.wire.encoding import encode, encode_data_head
from udist_plugin.wire.frames import End, Frame, GoAway, Reset, Response, Settings, WindowUpdate
from udist_plugin.wire.framing import DataHead

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from udist_plugin.testing.trace.reading import Line, Trace

ZEROS: Final = memoryview(bytes(MAX_DATA))
ENDING: Final = 10.0
"""Seconds that the plugin has to end by itself at the end of its input."""
HASTE: Final = 0.5
"""The same for one that did not answer."""
LONG: Final = 3
"""So many times as long as other waits may the plugin's start take."""


class Played:
    """One exchange of the replay. ``reset`` is the plugin's code, ``problem`` why nothing more comes."""

    def __init__(self, credit: int) -> None:
        self.status: int | None = None
        self.location: str | None = None
        self.received = 0
        self.credit = credit
        self.ended = False
        self.reset: str | None = None
        self.problem = ""

    @property
    def over(self) -> bool:
        return self.ended or bool(self.reset or self.problem)


def replay(trace: Trace, command: Sequence[str], timeout: float) -> Mapping[int, Played]:
    """What became of each exchange, by its stream. ``timeout`` bounds each wait, in seconds; the plugin may
    take ``LONG`` times that to start.

    Raises ``PluginNotFound``, and ``HandshakeFailed`` when the plugin does not get ready.
    """
    process = PluginProcess(list(command), None, own=False)
    player = Player(process, timeout)
    patience = HASTE
    try:
        for line in trace.lines:
            player.play(line)
        if not any(stream.problem for stream in player.streams.values()):
            patience = ENDING
    finally:
        polite_until = time.monotonic() + patience
        process.end(polite_until, polite_until + patience, polite=True)
        player.reader.join(patience)
        process.close()
    return player.streams


class Player:
    """Plays the caller. One thread reads what the plugin sends; ``play`` is for another."""

    def __init__(self, process: PluginProcess, timeout: float) -> None:
        self.streams: dict[int, Played] = {}
        self._process = process
        self._timeout = timeout
        self._places = Places()
        self._seen: dict[int, int] = {}
        self._ready = False
        self._gone = ""
        self._changed = threading.Condition()
        self.reader = threading.Thread(target=self._read, name="udist-replay", daemon=True)
        self.reader.start()

    def play(self, line: Line) -> None:
        """Sends a frame of the caller, or waits until the plugin has come as far as with its frame."""
        stream = self.streams.get(line.stream_id)
        if line.kind == "settings" and line.side == "plugin":
            self._await_ready()
        elif line.side == "plugin":
            if stream:
                self._await(line, stream)
        elif line.kind == "request":
            self._ask(line)
        elif line.kind == "data":
            if stream:
                self._send_data(line, stream)
        elif not (stream and stream.over and line.kind == "end"):
            self._send(line)

    def _ask(self, line: Line) -> None:
        """Sends a request; content that stood in a file is sent as any other."""
        self.streams[line.stream_id] = stream = Played(line.body.get("initial_credit") or INITIAL_CREDIT)
        file = line.body.get("file")
        self._send(line if file is None else line._replace(end_stream=False))
        if file is not None:
            self._send_data(line._replace(body=int(file.get("length", "0"))), stream)

    def _send(self, line: Line) -> None:
        self._write(encode(Frame(line.stream_id, restored(line, self._places), line.end_stream)))

    def _send_data(self, line: Line, stream: Played) -> None:
        """As one frame, or as several if this plugin grants less credit than the recorded one."""
        left, begun = line.body, False
        while left or not begun:
            if stream.over or (left and not self._wait(stream, lambda: stream.credit > 0)):
                return
            with self._changed:
                length = min(left, stream.credit, MAX_DATA)
                stream.credit -= length
            left, begun = left - length, True
            last = line.end_stream and not left
            self._write(encode_data_head(line.stream_id, length, last), ZEROS[:length])

    def _write(self, *buffers: bytes | memoryview) -> None:
        with suppress(OSError):  # the reader finds out why
            write_all(self._process.sink, buffers, self._timeout, peer=self._process.ended)

    def _await(self, line: Line, stream: Played) -> None:
        if line.kind == "response":
            self._await_head(line, stream)
        elif line.kind == "data":
            seen = self._seen[line.stream_id] = self._seen.get(line.stream_id, 0) + line.body
            self._wait(stream, lambda: stream.received >= seen)
        if line.end_stream or line.kind in ("end", "reset"):
            self._wait(stream, lambda: False)

    def _await_head(self, line: Line, stream: Played) -> None:
        self._wait(stream, lambda: stream.status is not None)
        place = dict(line.body.get("fields", ())).get("location")
        if isinstance(place, str) and stream.location:
            self._places.learn(place, stream.location)

    def _await_ready(self) -> None:
        limit = LONG * self._timeout
        with self._changed:
            self._changed.wait_for(lambda: self._ready or self._gone, limit)
        if not self._ready:
            late = f"it was not ready within {limit:g} s"
            raise HandshakeFailed(f"{self._process.command[0]!r}: {self._gone or late}")

    def _wait(self, stream: Played, ready: Callable[[], bool]) -> bool:
        """Whether ``ready``, before the exchange is over or time is up."""
        with self._changed:
            if not self._changed.wait_for(lambda: ready() or stream.over or self._gone, self._timeout):
                stream.problem = f"nothing came for {self._timeout:g} s"
            elif self._gone and not (ready() or stream.over):
                stream.problem = self._gone
            return ready()

    def _read(self) -> None:
        """Takes in what the plugin sends, to its end."""
        frames = FrameInput(self._process.source, self._wait_readable, self._timeout)
        gone = "the plugin ended"
        try:
            while (item := frames.next()) is not None:
                self._take(item if isinstance(item, DataHead) else decode(item))
                if isinstance(item, DataHead):
                    _skip(frames, item.length)
        except (RemoteProtocolError, OSError) as error:
            gone = f"the plugin broke the protocol: {error}"
        self._process.status(HASTE)  # another thread reads its last words
        with self._changed:
            tail = self._process.stderr_tail()
            self._gone = self._gone or (f"{gone}: {tail.splitlines()[-1]}" if tail else gone)
            self._changed.notify_all()

    def _wait_readable(self, seconds: float | None) -> None:
        ready_before_end(self._process.source, self._process.ended, timeout=seconds)

    def _take(self, message: DataHead | tuple[Frame, bytes | None]) -> None:
        with self._changed:
            if isinstance(message, DataHead):
                self._take_data(message.stream_id, message.length, message.end_stream)
            else:
                frame, payload = message
                if payload is None:
                    self._take_frame(frame)
                else:
                    self._take_data(frame.stream_id, len(payload), frame.end_stream)
            self._changed.notify_all()

    def _take_data(self, stream_id: int, length: int, end_stream: bool) -> None:
        if stream := self.streams.get(stream_id):
            stream.received += length
            stream.ended = stream.ended or end_stream

    def _take_frame(self, frame: Frame) -> None:
        body = frame.body
        if isinstance(body, Settings):
            self._ready = True
        elif isinstance(body, GoAway) and not self._ready:
            self._gone = f"it refused: {body.message or body.code}"
        elif stream := self.streams.get(frame.stream_id):
            if isinstance(body, Response):
                stream.status = body.status
                places = (value for name, value in body.fields if name == "location")
                stream.location = next(places, b"").decode("latin-1")
            elif isinstance(body, WindowUpdate):
                stream.credit += body.credit
            elif isinstance(body, Reset) and not (stream.ended and body.code == "OK"):
                stream.reset = body.code
            stream.ended = stream.ended or frame.end_stream or isinstance(body, End)


def _skip(frames: FrameInput, length: int) -> None:
    """Drops a payload."""
    missing = memoryview(bytearray(length))
    while missing:
        missing = missing[frames.fill(missing) :]
        if missing:
            frames.wait_for_rest(len(missing))
