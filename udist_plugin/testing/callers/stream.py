"""One stream as the plugin sees it: what the client may send on it, and what it has sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from udist_plugin.testing.callers.errors import Unexpected
from udist_plugin.testing.callers.pattern import pattern
from udist_plugin.wire.constants import INITIAL_CREDIT, MAX_CREDIT, MAX_DATA, MAX_MESSAGE
from udist_plugin.wire.encoding import encode_data_head
from udist_plugin.wire.frames import End, File, Frame, Request, Reset, Response, WindowUpdate
from udist_plugin.wire.heads import content_length, fields_problem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Protocol

    from udist_plugin.wire.frames import Body, Fields

    class Sender(Protocol):
        """What writes frames and waits for the client; ``Plugin`` is one."""

        def send(self, body: Body, stream_id: int = 0, *, end_stream: bool = False) -> None: ...

        def raw(self, data: bytes, what: str) -> None: ...

        def until(self, reached: Callable[[], object], expected: str, timeout: float = 0.0) -> None: ...


class Stream:
    """The stream ``id`` with the client's ``request``.

    ``received`` counts bytes of content, ``ended`` is whether the request has ended and ``trailers`` what it
    ended with; ``given_up`` is the client's reset. ``credit`` is what the client may still send, ``window``
    what the plugin may. ``in_file``: the response's content stands in a file. ``closed``: the plugin has sent
    its last frame.
    """

    def __init__(self, plugin: Sender, stream_id: int, request: Request, ended: bool) -> None:
        self.id = stream_id
        self.request = request
        self.received = 0
        self.ended = ended
        self.answered = False
        self.in_file = False
        self.closed = False
        self.trailers: Fields = ()
        self.given_up: Reset | None = None
        self.credit = self.window = request.initial_credit or INITIAL_CREDIT
        self._plugin = plugin
        self._length = content_length(request.fields)

    # What the plugin sends

    def respond(self, status: int, fields: Mapping[str, str] | None = None, *, end: bool = False) -> None:
        """Sends the response's head; ``end``: there is no content."""
        pairs = [(name, value.encode()) for name, value in (fields or {}).items()]
        self._plugin.send(Response(status, pairs), self.id, end_stream=end)
        self._answer(end)

    def respond_with(self, file: File, status: int = 200) -> None:
        """Sends the head of a response whose content stands in a file."""
        length = [("content-length", str(file.length).encode())]
        self._plugin.send(Response(status, length, file), self.id)
        self.in_file = True

    def data(self, content: bytes, *, end: bool = False) -> None:
        """Sends ``content``, as much in a frame as may be, and whatever credit there is."""
        while True:
            piece, content = content[:MAX_DATA], content[MAX_DATA:]
            last = end and not content
            self._plugin.raw(
                encode_data_head(self.id, len(piece), last) + piece, f"data of {len(piece)} bytes"
            )
            self.window -= len(piece)
            if not content:
                break
        self._answer(end)

    def data_as_granted(self, content: bytes) -> None:
        """Sends ``content`` and the response's end, as the client grants credit."""
        while content:
            self.await_window(1)
            piece, content = content[: self.window], content[self.window :]
            self.data(piece, end=not content)

    def end(self, trailers: Fields = ()) -> None:
        """Ends the response."""
        self._plugin.send(End(trailers), self.id)
        self._answer(True)

    def grant(self, credit: int) -> None:
        """Lets the client send so many bytes more."""
        self.credit += credit
        self._plugin.send(WindowUpdate(credit), self.id)

    def reset(self, code: str, message: str = "", *, unprocessed: bool = False) -> None:
        """Resets the stream: the plugin's last frame."""
        self.closed = True
        self._plugin.send(Reset(code, message, unprocessed), self.id)

    # What the plugin waits for

    def await_content(self, length: int) -> None:
        """Waits until ``length`` bytes of content have come in all."""
        self._plugin.until(lambda: self.received >= length, f"{length} bytes of content on {self}")
        if self.received > length:
            raise Unexpected(f"expected {length} bytes of content on {self}, and {self.received} came")

    def await_end(self) -> None:
        """Waits for the request's end."""
        self._plugin.until(lambda: self.ended, f"the end of the request on {self}")

    def await_window(self, window: int) -> None:
        """Waits until the plugin may send ``window`` bytes."""
        self._plugin.until(
            lambda: self.window >= window, f"credit for {window} bytes on {self}, there is {self.window}"
        )

    def await_reset(self, *codes: str) -> None:
        """Waits for the client's reset with one of ``codes``; any, if none is given."""
        self._plugin.until(lambda: self.given_up, f"a reset of {self} from the client")
        assert self.given_up
        if codes and self.given_up.code not in codes:
            raise Unexpected(
                f"expected a reset of {self} with {' or '.join(codes)}, not {self.given_up.code}"
            )

    # What the client sends

    def receive(self, frame: Frame, payload: bytes | None) -> None:
        """Takes in a frame. Raises ``Unexpected`` for what the client must not send."""
        if self.given_up:
            raise Unexpected(f"a frame came on {self}, which the client had reset")
        if payload is not None:
            self._receive_data(payload, frame.end_stream)
            return
        match frame.body:
            case End(trailers):
                self._end("an end frame")
                self.trailers = trailers
                if problem := fields_problem(trailers):
                    raise Unexpected(f"trailers on {self}: {problem}")
            case WindowUpdate(credit):
                self.window += credit
                if not credit or self.window > MAX_CREDIT:
                    raise Unexpected(f"a window update of {credit} bytes on {self}, in all {self.window}")
            case Reset() as reset:
                self.given_up = reset
                if len(reset.message) > MAX_MESSAGE:
                    raise Unexpected(f"a reset of {self} with a message of {len(reset.message)} characters")
                if reset.code == "OK" and not self.in_file:
                    raise Unexpected(f"a reset with OK on {self}, where there is no file to be open")
            case body:
                raise Unexpected(f"{_name(body)} came from the client")

    def _receive_data(self, payload: bytes, end: bool) -> None:
        if not payload and not end:
            raise Unexpected(f"data with neither payload nor end on {self}")
        if len(payload) > MAX_DATA:
            raise Unexpected(f"a payload of {len(payload)} bytes on {self}")
        if self.ended:
            raise Unexpected(f"data came on {self} after the request's end")
        if payload != pattern(len(payload), self.received):
            raise Unexpected(f"content on {self} that the client was not given, from byte {self.received} on")
        self.received += len(payload)
        self.credit -= len(payload)
        if self.credit < 0:
            raise Unexpected(f"data on {self} exceeds its credit by {-self.credit} bytes")
        if self._length is not None and self.received > self._length:
            raise Unexpected(f"content on {self} is longer than its content-length of {self._length}")
        if end:
            self._end("data")

    def _end(self, what: str) -> None:
        if self.ended:
            raise Unexpected(f"{what} came on {self} after the request's end")
        self.ended = True
        if self._length is not None and self.received < self._length:
            raise Unexpected(f"content on {self} is shorter than its content-length of {self._length}")
        self.closed = self.closed or self.answered

    def _answer(self, end: bool) -> None:
        if end:
            self.answered = True
            self.closed = self.closed or self.ended

    def __str__(self) -> str:
        return f"stream {self.id} ({self.request.method} {self.request.target})"


def _name(body: Body | None) -> str:
    return "nothing" if body is None else f"a frame with {type(body).__name__}"
