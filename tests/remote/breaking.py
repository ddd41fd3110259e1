"""A transport that breaks on purpose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from udist_plugin.errors import StreamReset, TransportError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from udist_plugin.remote.transport import Body, Field, Response, Transport

    Break = Callable[[], TransportError]


def reset() -> TransportError:
    return StreamReset("reset by the test")


def unprocessed() -> TransportError:
    return StreamReset("never seen", retryable=True)


class Cut:
    """A reader that breaks after ``size`` bytes."""

    def __init__(self, body: Body, size: int, error: TransportError) -> None:
        self._body, self._left, self._error = body, size, error

    def read(self, size: int = -1, /) -> bytes:
        assert not isinstance(self._body, bytes)
        data = self._body.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(data)
        if not data:
            raise self._error
        return data


class BreakingTransport:
    """Passes requests on to ``inner``, except that a plan for a method breaks its next ones.

    ``before`` breaks before anything is sent, ``after`` when the answer is lost, ``within`` after so many
    bytes of the request's content.
    """

    def __init__(self, inner: Transport) -> None:
        self.inner = inner
        self.before: dict[str, list[Break]] = {}
        self.after: dict[str, list[Break]] = {}
        self.within: dict[str, list[int]] = {}
        self.sent: list[str] = []

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
        self.sent.append(method)
        if plan := self.before.get(method):
            raise plan.pop(0)()
        if sizes := self.within.get(method):
            assert body is not None
            body = Cut(body, sizes.pop(0), reset())
        response = self.inner.request(method, target, headers=headers, body=body, timeout=timeout)
        if plan := self.after.get(method):
            response.close()
            raise plan.pop(0)()
        return response

    def close(self) -> None:
        self.inner.close()
