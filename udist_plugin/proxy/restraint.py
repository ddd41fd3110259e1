"""An upstream's limits: what it refuses for a while is not asked for before that."""

from __future__ import annotations

import math
import threading
import time
from typing import TYPE_CHECKING, Final

from udist_plugin.errors import TooManyRequests, Unavailable, UpstreamFailed, UpstreamTimeout
from udist_plugin.remote.network.patience import pause_of
from udist_plugin.remote.transport import can_cancel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from udist_plugin.errors import RegistryError
    from udist_plugin.remote.transport import Body, Field, Response, Transport

HELD_MAX: Final = 3600.0
"""Seconds that an upstream is not asked at most, whatever it says."""

BUSY: Final = {429: TooManyRequests, 503: Unavailable}

FAILED: Final = {503: Unavailable, 504: UpstreamTimeout}

DOUBLINGS: Final = 2
"""Of ``pause_of``: 4 seconds where the upstream names no time."""


class RestrainedTransport:
    """``inner``, whose answers that it is busy are kept: until the time that they name, requests of that kind
    (a method, and what is asked for: manifests, blobs, tags) are refused here. Nobody waits.

    Raises ``TooManyRequests`` and ``Unavailable`` with ``retry_after``, ``UpstreamFailed`` and
    ``UpstreamTimeout`` for the answers that say so, too.
    """

    def __init__(self, inner: Transport, clock: Callable[[], float] = time.monotonic) -> None:
        self._inner = inner
        self._clock = clock
        self._lock = threading.Lock()
        self._held: dict[tuple[str, str], tuple[float, type[RegistryError]]] = {}

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
        kind = method, target.partition("?")[0].split("/")[-2]
        self._check(kind)
        response = self._inner.request(method, target, headers=headers, body=body, timeout=timeout)
        status = response.status
        if status != 429 and status < 500:
            return response
        response.close()
        stated = response.header("retry-after")
        if status == 429 or (status == 503 and stated):
            self._hold(kind, BUSY[status], stated)
            self._check(kind)
        raise FAILED.get(status, UpstreamFailed)({"status": status})

    def _hold(self, kind: tuple[str, str], error: type[RegistryError], stated: str | None) -> None:
        until = self._clock() + max(1.0, min(pause_of(stated, DOUBLINGS), HELD_MAX))
        with self._lock:
            self._held[kind] = until, error

    def _check(self, kind: tuple[str, str]) -> None:
        with self._lock:
            until, error = self._held.get(kind, (0.0, TooManyRequests))
        left = until - self._clock()
        if left > 0:
            held = error("the upstream registry says so")
            held.retry_after = math.ceil(left)
            raise held

    def cancel(self) -> None:
        if can_cancel(self._inner):
            self._inner.cancel()

    def close(self) -> None:
        self._inner.close()
