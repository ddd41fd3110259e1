"""Servers that are busy."""

from __future__ import annotations

import io
from email.utils import formatdate
from time import time
from typing import TYPE_CHECKING

import pytest

from udist_plugin.errors import Cancelled, TransportError
from udist_plugin.remote.network.patience import PatientTransport, pause_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from udist_plugin.remote.transport import Body, Field

from tests.remote.test_resuming import Piece


class Told(Piece):
    def __init__(self, status: int, after: str | None) -> None:
        super().__init__(status, b"", 0, None)
        self.headers = [("retry-after", after)] if after is not None else []


class Busy:
    """Answers with the statuses that are planned, then with 200."""

    def __init__(self, *plan: tuple[int, str | None]) -> None:
        self.plan = list(plan)
        self.bodies: list[bytes] = []
        self.pauses: list[float] = []

    def request(
        self,
        method: str,
        target: str,
        /,
        *,
        headers: Sequence[Field] = (),
        body: Body | None = None,
        timeout: float | None = None,
    ) -> Told:
        self.bodies.append(body if isinstance(body, bytes) else body.read() if body else b"")
        return Told(*self.plan.pop(0)) if self.plan else Told(200, None)

    def close(self) -> None:
        pass

    def wait(self, pause: float) -> bool:
        self.pauses.append(pause)
        return False


def ask(busy: Busy, method: str = "GET", body: Body | None = None) -> int:
    return PatientTransport(busy, busy.wait).request(method, "/", body=body).status


def test_it_waits_as_long_as_it_is_told() -> None:
    busy = Busy((429, "3"), (503, "0"), (429, None), (429, formatdate(time() + 40, usegmt=True)))
    assert ask(busy) == 200
    assert busy.pauses[:3] == [3, 0, 4]
    assert 35 < busy.pauses[3] <= 40


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE"])
def test_429_and_503_are_tried_again_whatever_was_asked(method: str) -> None:
    busy = Busy((429, "1"), (503, "1"))
    assert ask(busy, method, io.BytesIO(b"body")) == 200
    assert busy.bodies == [b"body"] * 3


def test_failures_are_tried_again_where_that_does_nothing_twice() -> None:
    assert ask(Busy((500, None), (502, None), (504, None)), "PUT", b"x") == 200
    assert ask(Busy((500, None)), "POST") == 200
    assert ask(Busy((500, None)), "POST", b"x") == 500
    assert ask(Busy((400, "1"))) == 400
    assert ask(Busy((404, None))) == 404


def test_it_ends_with_what_was_answered_last() -> None:
    busy = Busy(*[(429, None)] * 9)
    assert ask(busy) == 429
    assert busy.pauses == [1, 2, 4, 8, 16]
    busy = Busy((429, "200"), (429, "200"))
    assert ask(busy) == 429  # more than anybody waits
    assert busy.pauses == [200]


def test_content_that_cannot_be_sent_again() -> None:
    class Once:
        def read(self, size: int = -1, /) -> bytes:
            return b""

    with pytest.raises(TransportError, match="the content has to be sent again") as caught:
        ask(Busy((429, "1")), "PUT", Once())
    assert caught.value.retryable


def test_a_wait_that_is_cancelled() -> None:
    busy = Busy((429, "100"))
    transport = PatientTransport(busy)
    transport.cancel()
    with pytest.raises(Cancelled):
        transport.request("GET", "/")


@pytest.mark.parametrize("stated", [None, "", "soon", "-1", "1.5", "Sun, 06 Nov 1994 08:49:37 GMT", "²"])
def test_what_is_no_time_to_come_counts_as_nothing(stated: str | None) -> None:
    assert [pause_of(stated, attempt) for attempt in range(3)] == [1, 2, 4]
