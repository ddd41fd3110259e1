"""A response being read by a task."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from udist_plugin.errors import Cancelled, TransportError
from udist_plugin.link.exchange import READ
from udist_plugin.link.output import SMALL

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import TracebackType
    from typing import Any, Self

    from udist_plugin.client.response import Response

    Run = Callable[[Callable[[], Any]], Awaitable[Any]]


class AsyncResponse:
    """``status`` and ``headers``, and content to read, as of a ``Response``. A read that is cancelled closes
    it."""

    def __init__(self, response: Response, run: Run) -> None:
        """``run`` calls what it is given in a thread."""
        self.status = response.status
        self.headers = response.headers
        self._response = response
        self._run = run
        self._whole: bytes | TransportError | None = None
        self._buffer = bytearray()

    def header(self, name: str) -> str | None:
        """A field's value; several are joined by a comma (RFC 9110, section 5.3)."""
        return self._response.header(name)

    async def read(self, size: int = -1) -> bytes:
        """``size`` bytes, fewer only at the end; all that is left when negative."""
        if self._whole is None:
            return await self._wait(partial(self._response.read, size))
        if isinstance(self._whole, TransportError):
            raise self._whole
        data = self._whole if size < 0 else self._whole[:size]
        self._whole = self._whole[len(data) :]
        return data

    def __aiter__(self) -> Self:
        """The content in pieces as they come."""
        return self

    async def __anext__(self) -> bytes:
        piece = await (self._wait(self._read_once) if self._whole is None else self.read())
        if not piece:
            raise StopAsyncIteration
        return piece

    @property
    def trailers(self) -> list[tuple[str, str]]:
        """Trailer fields, once the content has been read."""
        return self._response.trailers

    def read_small(self, method: str) -> None:
        """Reads what the plugin sends right behind the head, if that is all. Not for the event loop's thread:
        this waits."""
        length = self._response.header("content-length") or ""
        small = method == "HEAD" or self.status in (204, 304) or (length.isdecimal() and int(length) <= SMALL)
        if not small:
            return
        try:
            self._whole = self._response.read()
        except TransportError as error:
            self._whole = error
        self._response.close()

    async def aclose(self) -> None:
        """Drops what was not read; the plugin stops its work on it."""
        self.drop()

    def drop(self) -> None:
        """As ``aclose``. It waits for nothing, and any thread may call it."""
        self._response.close()
        if self._whole:
            self._whole = Cancelled("the response was closed")

    async def _wait(self, read: Callable[[], bytes]) -> bytes:
        try:
            data: bytes = await self._run(read)
        except BaseException:
            self._response.close()
            raise
        return data

    def _read_once(self) -> bytes:
        self._buffer = self._buffer or bytearray(READ)
        count = self._response.readinto(self._buffer)
        return bytes(memoryview(self._buffer)[:count])

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.drop()

    def __repr__(self) -> str:
        return f"<AsyncResponse {self.status}>"
