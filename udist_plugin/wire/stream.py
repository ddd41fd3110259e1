"""One HTTP exchange on the wire: two halves that each go from head over content to done."""

from __future__ import annotations

from udist_plugin.errors import LocalProtocolError, RemoteProtocolError
from udist_plugin.typed import TYPE_CHECKING, Any, ClassVar
from udist_plugin.wire import heads
from udist_plugin.wire.constants import INITIAL_CREDIT
from udist_plugin.wire.windows import Budget, ReceiveWindow, SendWindow

if TYPE_CHECKING:
    from udist_plugin.wire.frames import Request, Reset, Response


class Half(str):
    """What may come next in one direction, in words. No ``Enum``, which takes longer to import than this."""

    HEAD: ClassVar[Half]
    CONTENT: ClassVar[Half]
    DONE: ClassVar[Half]

    __slots__ = ()


Half.HEAD = Half("waits for its head")
Half.CONTENT = Half("has begun")
Half.DONE = Half("has ended")


class Input(str):
    """What can happen in one direction, in words."""

    HEAD: ClassVar[Input]
    DATA: ClassVar[Input]
    END: ClassVar[Input]

    __slots__ = ()


Input.HEAD = Input("a head")
Input.DATA = Input("data")
Input.END = Input("an end")

TRANSITIONS: dict[tuple[Half, Input, bool], Half] = {
    (Half.HEAD, Input.HEAD, False): Half.CONTENT,
    (Half.HEAD, Input.HEAD, True): Half.DONE,
    (Half.CONTENT, Input.DATA, False): Half.CONTENT,
    (Half.CONTENT, Input.DATA, True): Half.DONE,
    (Half.CONTENT, Input.END, True): Half.DONE,
}
"""(state, input, end of stream) -> state; what is not here is an error of whoever sent it."""


class Stream:
    """The state of one exchange.

    ``owner`` is for whoever drives the connection. ``reset`` is set once either side has reset the stream.
    ``accepts_file``: the response's content may be in a file.
    ``expected`` is the incoming content-length, ``received`` the payload bytes so far.
    """

    __slots__ = (
        "accepts_file",
        "expected",
        "id",
        "incoming",
        "outgoing",
        "owner",
        "receive_window",
        "received",
        "reset",
        "send_window",
    )

    def __init__(self, stream_id: int, budget: Budget, largest_window: int, initial_credit: int = 0) -> None:
        self.id = stream_id
        self.incoming = Half.HEAD
        self.outgoing = Half.HEAD
        credit = initial_credit or INITIAL_CREDIT
        self.send_window = SendWindow(credit)
        self.receive_window = ReceiveWindow(budget, largest_window, credit)
        self.expected: int | None = None
        self.received = 0
        self.reset: Reset | None = None
        self.owner: Any = None
        self.accepts_file = False

    @property
    def done(self) -> bool:
        """Both directions have ended."""
        return self.incoming is Half.DONE and self.outgoing is Half.DONE

    def declare(self, head: Request | Response, end_stream: bool, bodiless: bool = False) -> str | None:
        """Notes how much content is to come; returns what is wrong with what the head says of it."""
        try:
            length = heads.content_length(head.fields)
        except ValueError as error:
            return str(error)
        if head.file and length != head.file.length:
            return f"content-length is {length}, but its file has {head.file.length} bytes"
        if bodiless or head.file:
            length = 0
        elif length and end_stream:
            return f"content-length is {length}, but nothing follows"
        self.expected = length
        return None

    def advance_incoming(self, what: Input, end_stream: bool) -> None:
        """Raises ``RemoteProtocolError`` for what may not come now."""
        try:
            self.incoming = TRANSITIONS[self.incoming, what, end_stream]
        except KeyError:
            raise RemoteProtocolError(f"{what} on stream {self.id}, which {self.incoming}") from None

    def advance_outgoing(self, what: Input, end_stream: bool) -> None:
        """Raises ``LocalProtocolError`` for what may not be sent now."""
        if self.reset:
            raise LocalProtocolError(f"{what} on stream {self.id}, which was reset")
        try:
            self.outgoing = TRANSITIONS[self.outgoing, what, end_stream]
        except KeyError:
            raise LocalProtocolError(f"{what} on stream {self.id}, which {self.outgoing}") from None

    @property
    def miscounted(self) -> str | None:
        """What is wrong with how much content has come."""
        expected, received = self.expected, self.received
        if (
            expected is None
            or received == expected
            or (received < expected and self.incoming is not Half.DONE)
        ):
            return None
        return f"content of {received} bytes, its content-length is {expected}"
