"""One call as ``server.wsgi`` serves it: content to read, a response to send.

The thread that serves a call also takes its messages off gRPC, and only when it needs one: content when the
application reads, credit when the response waits for some. What nobody asks for stays with the caller.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from contextlib import suppress

from udist_plugin.errors import TransportError
from udist_plugin.link.errors import ContentCut
from udist_plugin.link.exchange import Reading
from udist_plugin.link.splice import SpliceableFile
from udist_plugin.typed import TYPE_CHECKING
from udist_plugin.wire.call import PluginCall
from udist_plugin.wire.frames import End
from udist_plugin.wire.parts import Part, encode_part
from udist_plugin.wire.stream import Half

if TYPE_CHECKING:
    from typing import Protocol

    from udist_plugin.link.splice import Spliceable
    from udist_plugin.wire.frames import Request, Response
    from udist_plugin.wire.windows import Budget

    class Transport(Protocol):
        """A call of gRPC."""

        def receive(self) -> bytes | None:
            """The next message; ``None`` once the caller has closed its side. Raises ``TransportError``."""

        def send(self, message: bytes, /) -> None:
            """Returns when gRPC has taken the message. Raises ``TransportError`` when the call is over."""

        def finish(self, code: str, message: str, /, *, unprocessed: bool) -> None:
            """Ends the call with a status."""


class LentChunk:
    """Content in the buffer that gRPC received it in."""

    __slots__ = ("_exchange", "view")

    def __init__(self, view: memoryview, exchange: CallExchange) -> None:
        self.view = view
        self._exchange = exchange

    def release(self) -> None:
        """The caller may send as much again. From any thread."""
        self._exchange.consume(len(self.view))


class CallExchange(Reading):
    """``number`` names the call in the log. ``lock`` guards ``budget``, which all calls share."""

    head: Request
    shares_files = False

    def __init__(self, number: int, transport: Transport, budget: Budget, lock: threading.Lock) -> None:
        self._transport = transport
        self._call = PluginCall(number, budget)
        self.stream = self._call.stream
        self.error: TransportError | None = None
        self._lock = lock
        self._chunks: deque[memoryview] = deque()
        self._response: Response | None = None  # goes with the first of its content
        self._sending = threading.Lock()
        self._finished = False

    def accept(self) -> None:
        """Waits for the request's head. Raises ``TransportError``."""
        message = self._transport.receive()
        if message is None:
            self._call.receive_half_close()
            return
        with self._lock:
            self.head, data = self._call.receive_head(message)
        if data:
            self._chunks.append(memoryview(data))

    def can_splice(self) -> bool:
        """gRPC takes bytes."""
        return False

    def sent_file(self) -> None:
        """Content of calls comes in messages."""

    def hold(self) -> None:
        """No file is handed over."""

    def next_chunk(self) -> LentChunk | None:
        """Borrows what came next; ``None`` at the content's end. Raises ``TransportError`` if it was cut."""
        return LentChunk(self._chunks.popleft(), self) if self._has_content() else None

    def read_into(self, target: memoryview) -> int:
        """Reads once into ``target``; 0 at the content's end. Raises as ``next_chunk`` does."""
        if not target or not self._has_content():
            return 0
        chunk = self._chunks[0]
        length = min(len(chunk), len(target))
        target[:length] = chunk[:length]
        if length < len(chunk):
            self._chunks[0] = chunk[length:]
        else:
            self._chunks.popleft()
        self.consume(length)
        return length

    def consume(self, length: int) -> None:
        """``length`` bytes of content are read, and the caller may send more."""
        with self._lock:
            credit = self.stream.receive_window.consume(length)
        if credit:
            with suppress(TransportError):  # whoever reads next is told
                self._send(Part(credit=credit))

    def respond(self, head: Response, content: bytes = b"", *, end: bool) -> None:
        """Sends the head with its content. The head alone goes with what follows."""
        if self.error:
            raise self.error
        self._call.respond(head, end=end and not content)
        if content:
            self._call.send_data(len(content), end=end)
        if end:
            self._send(Part(head, end=End(), data=content))
        else:
            self._response = head

    def send_content(self, content: bytes | memoryview, *, end: bool) -> None:
        """Sends all of ``content`` as credit allows; ``end`` marks the last of it."""
        left = memoryview(content)
        while len(left) or end:
            length = self._reserve(len(left)) if len(left) else 0
            last = end and length == len(left)
            self._send_data(left[:length], last)
            left = left[length:]
            if last:
                return

    def send_spliced(self, content: Spliceable, length: int, *, end: bool) -> None:
        """Sends ``length`` bytes of a file. Raises ``ContentCut`` when it has fewer."""
        assert isinstance(content, SpliceableFile)
        while length:
            data = os.read(content.file, self._reserve(length))
            if not data:
                raise ContentCut(f"the content ended {length} bytes before its end")
            length -= len(data)
            self._send_data(data, end and not length)

    def finish(self, code: str, message: str, *, unprocessed: bool = False) -> None:
        """Ends the call; what was not read is dropped."""
        self._chunks.clear()
        with self._lock:
            self.stream.receive_window.close()
        with self._sending:
            self._finished = True
            self._transport.finish(code, message, unprocessed=unprocessed)

    def _has_content(self) -> bool:
        while not self._chunks:
            if self.stream.incoming is Half.DONE and not self.error:
                return False
            self._receive()
        return True

    def _reserve(self, wanted: int) -> int:
        """Waits for credit, and returns how much of ``wanted`` it covers."""
        while not self._call.sendable:
            self._receive()
        return min(wanted, self._call.sendable)

    def _receive(self) -> None:
        if self.error:
            raise self.error
        try:
            message = self._transport.receive()
            if message is None:
                self._call.receive_half_close()
                return
            with self._lock:
                data = self._call.receive(message)
        except TransportError as error:
            self.error = error
            raise
        if data:
            self._chunks.append(memoryview(data))

    def _send_data(self, data: bytes | memoryview, last: bool) -> None:
        if self.error:
            raise self.error
        self._call.send_data(len(data), end=last)
        head, self._response = self._response, None
        self._send(Part(head, end=End() if last else None, data=data))

    def _send(self, part: Part) -> None:
        with self._sending:
            if not self._finished:
                self._transport.send(encode_part(part))
