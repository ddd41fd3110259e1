"""One gRPC call from the plugin's side: what may come and go, and when (PROTOCOL.md, "gRPC").

gRPC keeps calls apart and ends them with a status, so the rules of a frame's connection are here those of the
call alone: whatever the caller breaks ends its call.
"""

from __future__ import annotations

from udist_plugin.errors import LocalProtocolError, RemoteProtocolError, TransportError
from udist_plugin.typed import TYPE_CHECKING, Final
from udist_plugin.wire import heads
from udist_plugin.wire.connection import LARGEST_WINDOW
from udist_plugin.wire.constants import MAX_DATA
from udist_plugin.wire.frames import Request, Response
from udist_plugin.wire.parts import Part, decode_request_part
from udist_plugin.wire.stream import Half, Input, Stream

if TYPE_CHECKING:
    from udist_plugin.wire.windows import Budget

CALL_CREDIT: Final = 64 << 10
"""Payload bytes that either side may send before the other grants more: what HTTP/2 lets through anyway."""


class Refused(TransportError):
    """The application never saw the request."""

    retryable = True


class PluginCall:
    """The state of one call. ``budget`` is what all windows may grow by together.

    ``head`` is the request's, once it came. ``half_closed``: the caller sends nothing more, and its credit
    is without limit.
    """

    def __init__(self, number: int, budget: Budget) -> None:
        self.stream = Stream(number, budget, LARGEST_WINDOW, CALL_CREDIT)
        self.half_closed = False

    def receive_head(self, message: bytes) -> tuple[Request, bytes | memoryview]:
        """Takes in the first message; the head and the content behind it. Raises ``Refused``."""
        try:
            part = self._decode(message)
            if part.head is None:
                raise RemoteProtocolError("the first message has no head")
            assert isinstance(part.head, Request)
            fault = request_problem(part.head)
            if fault := fault or self.stream.declare(part.head, end_stream=False):
                raise Refused(f"the request's {fault}", code="INVALID_ARGUMENT")
            self.stream.advance_incoming(Input.HEAD, False)
            return part.head, self._take(part)
        except (RemoteProtocolError, TransportError) as error:
            raise Refused(str(error), code=getattr(error, "code", "INTERNAL")) from None

    def receive(self, message: bytes) -> bytes | memoryview:
        """Takes in any other message; its content. Raises ``TransportError``, which ends the call."""
        try:
            part = self._decode(message)
            if part.head is not None:
                raise RemoteProtocolError("a second head")
            return self._take(part)
        except RemoteProtocolError as error:
            raise TransportError(str(error), code="INTERNAL") from None

    def receive_half_close(self) -> None:
        """The caller has closed its side. Raises ``TransportError`` if its request was not complete."""
        if self.stream.incoming is Half.HEAD:
            raise Refused("the call has no message", code="INVALID_ARGUMENT")
        self.half_closed = True
        if self.stream.incoming is not Half.DONE:
            raise TransportError("the caller closed its side before the request's end", code="CANCELLED")

    def respond(self, head: Response, *, end: bool) -> None:
        """The response begins. Raises ``LocalProtocolError`` for a head that may not travel."""
        if problem := heads.response_problem(head):
            raise LocalProtocolError(problem)
        self.stream.advance_outgoing(Input.HEAD, end)

    def send_data(self, length: int, *, end: bool) -> None:
        """``length`` bytes of content go, which the credit must cover."""
        if length > self.sendable:
            raise LocalProtocolError(f"{length} bytes of data with credit for {self.sendable}")
        if not self.half_closed:
            self.stream.send_window.credit -= length
        self.stream.advance_outgoing(Input.DATA, end)

    @property
    def credit(self) -> int | None:
        """Bytes of content that may be sent; ``None`` for any number."""
        return None if self.half_closed else self.stream.send_window.credit

    @property
    def sendable(self) -> int:
        """Bytes of content that the next message may have."""
        return MAX_DATA if self.half_closed else min(self.stream.send_window.credit, MAX_DATA)

    def _decode(self, message: bytes) -> Part:
        part = decode_request_part(message)
        if part == NOTHING:
            raise RemoteProtocolError("a message with nothing in it")
        return part

    def _take(self, part: Part) -> bytes | memoryview:
        stream = self.stream
        if part.credit:
            stream.send_window.grow(part.credit)
        if length := len(part.data):
            stream.receive_window.receive(length)
            stream.received += length
            stream.advance_incoming(Input.DATA, False)
        if part.end is not None:
            stream.advance_incoming(Input.END, True)
            if problem := heads.fields_problem(part.end.trailers):
                raise TransportError(f"the request's {problem}", code="INVALID_ARGUMENT")
            stream.receive_window.end()
        if problem := stream.miscounted:
            raise TransportError(problem, code="INTERNAL")
        return part.data


NOTHING: Final = Part()


def request_problem(head: Request) -> str | None:
    """What is wrong with a request's head: what frames have in it and calls have otherwise is not for it."""
    if head.timeout_ms:
        return "timeout_ms is for frames; a call has a deadline"
    if head.accept_file or head.file:
        return "accept_file and file are for frames"
    if head.initial_credit:
        return "initial_credit is for frames; the first message may grant credit"
    return heads.request_problem(head)


__all__ = ["CALL_CREDIT", "PluginCall", "Refused"]
