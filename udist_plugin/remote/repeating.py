"""Which failed requests may be sent again, and how their content is sent from its start."""

from __future__ import annotations

import os

from udist_plugin.errors import (
    Cancelled,
    DeadlineExceeded,
    HandshakeFailed,
    PluginDied,
    PluginNotFound,
    TransportError,
)
from udist_plugin.typed import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from udist_plugin.content import Readable
    from udist_plugin.remote.transport import Body

Result = TypeVar("Result")

ATTEMPTS: Final = 3
"""How often something is tried before its transport's error is raised."""

IDEMPOTENT: Final = frozenset({"GET", "HEAD", "PUT", "DELETE"})
"""Methods that may be repeated when the answer was lost (RFC 9110, section 9.2.2), of those in use here."""

_FINAL = (PluginDied, PluginNotFound, HandshakeFailed, DeadlineExceeded, Cancelled)


def repeat(action: Callable[[], Result], again: Callable[[TransportError], bool]) -> Result:
    """The result of ``action``, tried once more for each ``TransportError`` that ``again`` approves of."""
    for _ in range(1, ATTEMPTS):
        try:
            return action()
        except TransportError as error:
            if not again(error):
                raise
    return action()


def is_passing(error: TransportError) -> bool:
    """Whether another attempt on the same transport can go better: not when the other end is gone, the
    time is over, or this side gave up."""
    return not isinstance(error, _FINAL)


class Bookmark:
    """Where ``body`` stands, to send it again from there."""

    def __init__(self, body: Body | None) -> None:
        self._body = body
        self._start = 0 if body is None or isinstance(body, bytes) else _position(body)

    def go_back(self, forward: int = 0) -> bool:
        """Takes the body back, to ``forward`` bytes after its start; false when it cannot be sought in."""
        if self._start is None:
            return False
        if self._body is not None and not isinstance(self._body, bytes):
            self._body.seek(self._start + forward)  # type: ignore[attr-defined]
        return True


def size_of(body: Readable) -> int | None:
    """How many bytes ``body`` has left, ``None`` when only reading tells."""
    size = getattr(body, "size", None)
    if isinstance(size, int):
        return size
    if (start := _position(body)) is None:
        return None
    end = body.seek(0, os.SEEK_END)  # type: ignore[attr-defined]
    body.seek(start)  # type: ignore[attr-defined]
    return int(end - start)


def _position(body: Readable) -> int | None:
    try:
        return int(body.tell()) if body.seekable() else None  # type: ignore[attr-defined]
    except (AttributeError, OSError):
        return None
