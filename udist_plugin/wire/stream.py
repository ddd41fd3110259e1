"""One HTTP exchange on the wire: two halves that each go from head over content to done."""

from __future__ import annotations

from udist_plugin.typed import TYPE_CHECKING, Any, ClassVar
from udist_plugin.wire.constants import INITIAL_CREDIT
from udist_plugin.wire.windows import Budget, ReceiveWindow, SendWindow

if TYPE_CHECKING:
    from udist_plugin.wire.frames import Reset


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
