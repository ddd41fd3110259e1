"""What ends an exchange, or a whole link, as errors."""

from __future__ import annotations

from udist_plugin.errors import (
    Cancelled,
    DeadlineExceeded,
    RemoteProtocolError,
    StreamReset,
    TransportError,
    UdistError,
)
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from udist_plugin.wire.frames import Reset


class ContentCut(TransportError):
    """Content ended before the length that was announced for it."""

    code = "DATA_LOSS"


class Truncated(RemoteProtocolError):
    """The source ended within a frame: the peer broke the protocol, unless it died."""


def late() -> DeadlineExceeded:
    """The time of a wait was over."""
    return DeadlineExceeded("the time allowed for the exchange has passed")


def reset_error(reset: Reset) -> TransportError:
    """A peer's reset as an error."""
    kind = {"CANCELLED": Cancelled, "DEADLINE_EXCEEDED": DeadlineExceeded}.get(reset.code, StreamReset)
    return kind(
        reset.message or f"the peer reset the stream: {reset.code}",
        code=reset.code,
        retryable=reset.unprocessed,
    )


def as_error(error: UdistError | OSError) -> UdistError:
    """An error of the descriptor as one of ours."""
    if isinstance(error, UdistError):
        return error
    return TransportError(error.strerror or str(error), code="UNAVAILABLE")
