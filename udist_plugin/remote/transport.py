"""What a remote registry needs of HTTP: one exchange at a time, streamed both ways.

A spawned ``Plugin`` is a transport, so is a WSGI application (``remote.wsgi``), and so is whatever else
has these two methods.
"""

from __future__ import annotations

from udist_plugin.typed import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType
    from typing import Self, TypeGuard

    from udist_plugin.content import Readable

    Field: TypeAlias = tuple[str, str]
    """A header field: lower-case name and value (RFC 9110, section 5)."""

    Body: TypeAlias = bytes | Readable
    """A request's content: bytes, or a reader that is sent to its end."""


class Response(Protocol):
    """One response: its head, and content that is read as it arrives. Close it, or use it in ``with``."""

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Sequence[Field]: ...

    def header(self, name: str, /) -> str | None:
        """The value of the field ``name`` (lower case), or ``None``."""

    def read(self, size: int = -1, /) -> bytes:
        """At most ``size`` bytes, empty at the end. Raises ``TransportError`` when it is cut short."""

    def close(self) -> None:
        """Gives up what was not read; twice is once."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Transport(Protocol):
    """Exchanges a request for a response."""

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
        """Sends a request and returns when the head of its response is there.

        ``target`` is in origin form (RFC 9112, section 3.2.1), percent-encoded; ``timeout`` is seconds for
        the whole exchange. A reader without a content-length among ``headers`` is sent until it is empty.
        Raises ``TransportError``; an answer of any status is a response.
        """

    def close(self) -> None:
        """Ends the transport; twice is once."""


class Cancellable(Protocol):
    """A transport that several threads use, one of which can cancel what the others do."""

    def cancel(self) -> None:
        """Ends all exchanges under way: each raises ``Cancelled``. New ones can be begun."""


def can_cancel(transport: object) -> TypeGuard[Cancellable]:
    return hasattr(transport, "cancel")
