"""One request on its way to the plugin: opened, its content sent, its response waited for."""

from __future__ import annotations

import time
from collections.abc import Mapping

from udist_plugin.client.readers import readable
from udist_plugin.client.redirects import location_of
from udist_plugin.client.response import Response
from udist_plugin.client.sending import offered, send, send_piece, skip
from udist_plugin.errors import DeadlineExceeded, StreamReset
from udist_plugin.link.waiter import Waiter
from udist_plugin.typed import TYPE_CHECKING, Final
from udist_plugin.wire.frames import Request
from udist_plugin.wire.frames import Response as Head
from udist_plugin.wire.heads import HOP_BY_HOP

if TYPE_CHECKING:
    from collections.abc import Iterable

    from udist_plugin.client.link import ClientLink
    from udist_plugin.client.network import Store
    from udist_plugin.client.readers import Body
    from udist_plugin.link.exchange import Exchange

DROPPED: Final = HOP_BY_HOP | {"expect"}
"""Fields that say nothing here: ``host`` travels as the authority, and no 100-continue is needed."""


class Call:
    """A request that one thread at a time makes, as ``Plugin.request`` says, and any thread may cancel.

    With ``pieces`` its content is not ``body``, but what ``send_piece`` is given between ``open`` and
    ``response``. ``owner`` lives as long as the response does.
    """

    def __init__(
        self,
        link: ClientLink,
        owner: object,
        method: str,
        target: str,
        headers: Mapping[str, str] | Iterable[tuple[str, str]],
        body: Body,
        *,
        timeout: float | None,
        patience: float | None,
        slot_timeout: float | None,
        scheme: str,
        authority: str,
        follow: bool,
        pieces: bool = False,
    ) -> None:
        self.cancelled = False
        self._link = link
        self._owner = owner
        self._headers = list(headers.items() if isinstance(headers, Mapping) else headers)
        self._patience = patience
        self._follow = follow
        self._pieces = pieces
        fields = [
            (name.lower(), value.encode("latin-1"))
            for name, value in self._headers
            if name.lower() not in DROPPED
        ]
        self._length = next((int(value) for name, value in fields if name == "content-length"), None)
        content = readable(body)
        if isinstance(content, memoryview) and self._length is None:
            self._length = len(content)
            fields.append(("content-length", str(self._length).encode()))
        self._content = None if self._length == 0 else content
        self._deadline = None if timeout is None else time.monotonic() + timeout
        empty = self._content is None and not pieces
        accept_file = link.shares_files and empty and method == "GET"
        file = offered(self._content, self._length) if link.shares_files else None
        if file and self._length is None:
            self._length = file.length
            fields.append(("content-length", str(file.length).encode()))
        milliseconds = _milliseconds(timeout)
        self._request = Request(method, scheme, authority, target, fields, milliseconds, accept_file, file)
        slot_timeout = patience if slot_timeout is None else slot_timeout
        self._slot = Waiter(Waiter(self._deadline, slot_timeout).begin())
        self._exchange: Exchange | None = None
        self._store: Store | None = None

    @property
    def slot_until(self) -> float | None:
        """When to wait no more for one of the plugin's slots, on the monotonic clock."""
        return self._slot.deadline

    def open(self) -> Exchange:
        """Waits for a slot and sends the head. Raises ``TransportError``; then the plugin has not seen it."""
        end = (self._content is None or self._request.file is not None) and not self._pieces
        exchange = self._link.open(self._request, self._deadline, self._patience, self._slot, end=end)
        self._exchange = exchange
        self._look_up()
        return exchange

    @property
    def bare(self) -> bool:
        """Whether neither content nor a redirect follows the head."""
        return self._content is None and not (self._pieces or self._follow)

    def open_now(self) -> Exchange | None:
        """Sends the head of one that is ``bare``, unless that needs a wait."""
        self._exchange = self._link.open_now(self._request, self._deadline, self._patience)
        return self._exchange

    def send_piece(self, piece: bytes) -> bool:
        """Sends some of the content. ``False`` once the plugin wants no more: then its response tells why."""
        assert self._exchange
        self._pieces = send_piece(self._link, self._exchange, memoryview(piece), end=False)
        return self._pieces

    def response(self) -> Response:
        """Sends what was not sent yet, and returns once the response's head is there."""
        exchange = self._answered()
        head = exchange.head
        assert isinstance(head, Head)
        fields = [(name, value.decode("latin-1")) for name, value in head.fields]
        if head.file:
            content = self._link.take(exchange, head.file)
            if content:
                return Response(head.status, fields, content, content.close)
            self._do_without_files()
            return self.response()
        response = Response(head.status, fields, exchange, self._close)
        if self._follow and (url := location_of(self._request.method, self._request.target, response)):
            response.close()
            return self._fetch(url, response)
        return response

    def _answered(self) -> Exchange:
        exchange = self._exchange or self.open()
        sending = None
        try:
            if self._pieces:
                send_piece(self._link, exchange, memoryview(b""), end=True)
            elif self._content is not None and not self._request.file:
                sending = send(self._link, exchange, self._content, self._length)
            exchange.wait_head()
        except BaseException as error:
            if self._request.file and _refuses_file(error):
                self._do_without_files()
                return self._answered()
            if sending and sending.error:
                raise sending.error from None
            self._link.cancel(exchange, error.code if isinstance(error, DeadlineExceeded) else "CANCELLED")
            raise
        if self._request.file:
            skip(self._content, self._request.file)
        return exchange

    def _do_without_files(self) -> None:
        """A file was unusable: prepares the request for being sent again, and shares no more files."""
        self._link.shares_files = False
        self._exchange = None
        self._request = self._request._replace(accept_file=False, file=None)

    def cancel(self) -> None:
        """Ends what another thread waits for, and drops the response if it is there. A thread that writes a
        frame finishes it first."""
        self.cancelled = True
        if self._store:
            self._store.interrupt()
        elif self._exchange:
            self._close()
        else:
            self._link.hasten(self._slot, 0.0)

    def _look_up(self) -> None:
        """What is waited for from now on ends at once, too, if ``cancel`` was called before."""
        if self.cancelled:
            self.cancel()

    def _close(self) -> None:
        """A response has this, so that its plugin is not collected as garbage while it is read."""
        assert self._exchange
        self._link.cancel(self._exchange)

    def _fetch(self, url: str, redirect: Response) -> Response:
        from udist_plugin.client.network import Store, fetch

        self._store = store = Store(self._deadline, self._patience)
        self._look_up()
        return fetch(store, self._request.method, url, self._headers, redirect)


def _refuses_file(error: BaseException) -> bool:
    """Whether the plugin could not open the request's file, and did nothing else."""
    return isinstance(error, StreamReset) and error.code == "FAILED_PRECONDITION" and error.retryable


def _milliseconds(timeout: float | None) -> int:
    """As it travels: at least 1, and what is beyond 49 days is as good as none."""
    milliseconds = 0 if timeout is None else max(1, int(timeout * 1000))
    return milliseconds if milliseconds < 1 << 32 else 0
