"""Servers that are busy: whether, when and how often a request is sent again (RFC 9110, 10.2.3)."""

from __future__ import annotations

import threading
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

from udist_plugin.errors import Cancelled, TransportError
from udist_plugin.remote.repeating import IDEMPOTENT, Bookmark
from udist_plugin.remote.transport import can_cancel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from udist_plugin.remote.transport import Body, Field, Response, Transport

BUSY: Final = frozenset({429, 503})
"""The request was not looked at: it can be sent again, whatever it is."""

FAILED: Final = frozenset({500, 502, 504})

ATTEMPTS: Final = 6

PATIENCE: Final = 300.0
"""Seconds that one request waits in all, its pauses together."""


class PatientTransport:
    """Sends what ``inner`` had no time for again, after the pause that the server asks for, or else after 1,
    2, 4, 8 and 16 seconds. ``wait`` waits for some seconds, and is true if it was interrupted."""

    def __init__(self, inner: Transport, wait: Callable[[float], bool] | None = None) -> None:
        self._inner = inner
        self._cancelled = threading.Event()
        self._wait = wait or self._cancelled.wait

    def request(
        self,
        method: str,
        target: str,
        /,
        *,
        headers: Sequence[Field] = (),
        body: Body | None = None,
        timeout: float | None = None,
    ) -> Response:
        """The last answer, if all say that the server is busy."""
        bookmark, left = Bookmark(body), PATIENCE
        for attempt in range(ATTEMPTS):
            response = self._inner.request(method, target, headers=headers, body=body, timeout=timeout)
            again = response.status in BUSY or (
                response.status in FAILED and (body is None or method in IDEMPOTENT)
            )
            pause = pause_of(response.header("retry-after"), attempt)
            left -= pause
            if not again or attempt == ATTEMPTS - 1 or left < 0:
                break
            response.close()
            if self._wait(pause):
                raise Cancelled("the request was cancelled while it waited for the server")
            if not bookmark.go_back():
                raise TransportError("the server was busy; the content has to be sent again", retryable=True)
        return response

    def cancel(self) -> None:
        self._cancelled.set()
        if can_cancel(self._inner):
            self._inner.cancel()

    def close(self) -> None:
        self._inner.close()


def pause_of(stated: str | None, attempt: int) -> float:
    """Seconds to wait: what the server has ``stated``, in seconds or as a date, or else more each time."""
    usual = float(2**attempt)
    if not stated:
        return usual
    if stated.isascii() and stated.isdigit():
        return float(stated) if len(stated) < 9 else PATIENCE + 1
    try:
        told = parsedate_to_datetime(stated).timestamp() - time.time()
    except ValueError:
        return usual
    return told if told > 0 else usual
