"""One HTTP exchange on the wire: two halves that each go from head over content to done."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

from udist_plugin.wire.constants import INITIAL_CREDIT
from udist_plugin.wire.windows import Budget, ReceiveWindow, SendWindow

if TYPE_CHECKING:
    from udist_plugin.wire.frames import Reset


class Half(Enum):
    """What may come next in one direction."""

    HEAD = "waits for its head"
    CONTENT = "has begun"
    DONE = "has ended"

    __hash__ = object.__hash__  # Enum's own is slower than the look-up it is for


class Input(Enum):
    """What can happen in one direction."""

    HEAD = "a head"
    DATA = "data"
    END = "an end"

    __hash__ = object.__hash__


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
    ``accepts_file``: the response's content may stand in a file.
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
