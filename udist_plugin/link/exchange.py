"""One stream as its user sees it: a head to wait for, content to read, content to send."""

from __future__ import annotations

from contextlib import suppress

from udist_plugin.errors import Cancelled, DeadlineExceeded
from udist_plugin.link.errors import ContentCut
from udist_plugin.link.inbox import Inbox, PooledChunk
from udist_plugin.link.output import SMALL
from udist_plugin.link.splice import Staging
from udist_plugin.link.waiter import Waiter
from udist_plugin.typed import TYPE_CHECKING
from udist_plugin.wire.constants import MAX_DATA
from udist_plugin.wire.stream import Half

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Lock
    from typing import Protocol

    from udist_plugin.errors import TransportError
    from udist_plugin.link.buffers import BufferPool
    from udist_plugin.link.output import Output
    from udist_plugin.link.splice import Spliceable, Stage
    from udist_plugin.wire.connection import Connection
    from udist_plugin.wire.frames import Fields, Request, Response
    from udist_plugin.wire.stream import Stream

    class Shared(Protocol):
        """What the exchanges of one link have in common; ``Link`` is one."""

        lock: Lock
        pool: BufferPool
        stage: Stage
        fallback_stage: Stage
        output: Output
        payload: int

        @property
        def connection(self) -> Connection: ...

        def wait(self, who: Waiter, ready: Callable[[], bool], /) -> None: ...

        def wake(self, who: Waiter, /) -> None: ...

        def sent_last(self, stream: Stream, /) -> bytes: ...


READ = 256 << 10
"""Bytes read at a time where the caller gives no buffer."""


class Reading:
    """What ``read_into`` makes possible."""

    __slots__ = ()

    def read_into(self, target: memoryview) -> int:
        """Reads once into ``target``; 0 at the content's end."""
        raise NotImplementedError

    def read(self, size: int = -1) -> bytes:
        """``size`` bytes, fewer only at the content's end; all that is left when negative."""
        parts = []
        while size:
            buffer = memoryview(bytearray(min(size, READ) if size > 0 else READ))
            filled = 0  # whole buffers only: a peer that sends byte by byte must not cost one for each
            while filled < len(buffer) and (count := self.read_into(buffer[filled:])):
                filled += count
            parts.append(buffer[:filled])
            if filled < len(buffer):
                break
            size -= filled if size > 0 else 0
        return b"".join(parts)


class Exchange(Waiter, Reading):
    """The waits of one stream. One thread reads at a time, and one sends.

    ``head`` is the peer's, ``None`` before it came; ``deadline`` is on the monotonic clock, in seconds;
    ``error`` is why nothing more can be read or sent, ``faulty`` whether what ended was wrong in itself.
    """

    def __init__(self, link: Shared, stream: Stream) -> None:
        super().__init__()
        self.link = link
        self.stream = stream
        self.head: Request | Response | None = None
        self.trailers: Fields = ()
        self.error: TransportError | None = None
        self.faulty = False
        self.inbox = Inbox(link.pool, self.release)

    @property
    def busy(self) -> bool:
        return self.inbox.writing

    def wait_head(self) -> None:
        """Returns once ``head`` is there."""
        with self.link.lock:
            self.link.wait(self, lambda: self.head is not None or self.error is not None)
            if self.head is None and self.error:
                raise self.error

    def read_into(self, target: memoryview) -> int:
        """Reads once into ``target``; 0 at the content's end. The bytes arrive there without a copy when
        they had not come yet. Raises ``TransportError`` when the exchange was cut."""
        link, inbox = self.link, self.inbox
        if not target:
            return 0
        with link.lock:
            length = 0
            if not inbox.chunks:
                inbox.lent = target
                try:
                    link.wait(self, self._filled)
                except BaseException:
                    inbox.withdraw()
                    raise
                length = inbox.take()
            if length:
                link.connection.consume(self.stream, length)
            else:
                length = self._move(target)
        link.output.flush()
        return length

    def next_chunk(self) -> PooledChunk | None:
        """Borrows what came next; ``None`` at the content's end. Raises as ``read_into`` does."""
        with self.link.lock:
            self.link.wait(self, self._readable)
            if self.inbox.chunks and not self.inbox.lost:
                return self.inbox.chunks.popleft()
            self._check_end()
            return None

    def release(self, chunk: PooledChunk) -> None:
        """Takes a borrowed chunk back."""
        with self.link.lock:
            self.link.pool.give_back(chunk.buffer)
            self.link.connection.consume(self.stream, len(chunk))
        self.link.output.flush()

    def send_content(self, content: bytes | memoryview, *, end: bool) -> None:
        """Sends all of ``content`` as credit allows; ``end`` marks the last of it."""
        left = memoryview(content)
        while len(left) or end:
            length = self._reserve(min(len(left), self.link.payload)) if len(left) else 0
            last = end and length == len(left)
            until = self.begin()
            with self.link.output.turn(bulk=len(left) > SMALL, until=until):
                with self.link.lock:
                    head, tail = self._data(length, last)
                self.link.output.write(head, left[:length], tail, until=until)
            left = left[length:]
            if last:
                return

    def send_spliced(self, content: Spliceable, length: int, *, end: bool) -> None:
        """Sends ``length`` bytes of ``content``. Raises ``ContentCut`` when it has fewer, and its errors."""
        staging = Staging(self.link.stage, self.link.fallback_stage)
        try:
            while length:
                if not self.stream.send_window.credit:
                    staging.release()  # a thousand responses that nobody reads need no pipes
                wanted = self._reserve(min(length, self.link.payload))
                count = staging.take(content, wanted)
                if not count:
                    raise ContentCut(f"the content ended {length} bytes before its end")
                with self.link.output.turn(bulk=length > SMALL, until=self.begin()):
                    with self.link.lock:
                        head, tail = self._data(count, end and count == length)
                    self.link.output.write(head)
                    staging.write(self.link.output)
                    if tail:
                        self.link.output.write(tail)
                length -= count
        finally:
            staging.release()

    @property
    def ended(self) -> bool:
        """Whether nothing is left to read: the content was read to its end, or cut, or there is none."""
        stream = self.stream
        if self.inbox.chunks or (self.inbox.filling and not self.error):
            return False
        return bool(self.error) or stream.incoming is Half.DONE or stream.received == stream.expected

    @property
    def unread(self) -> bool:
        """Whether something was received and not read."""
        return bool(self.inbox.chunks)

    def drop_unread(self) -> None:
        """Drops what was received and not read. Under the link's lock."""
        self.link.connection.consume(self.stream, self.inbox.drop())

    def fail(self, error: TransportError) -> None:
        """Ends every wait with ``error``; what was received before stays readable. Under the link's lock."""
        if self.error is None:
            self.error = error
        self.link.wake(self)

    def has_arrived(self, most: int, seconds: float) -> bool:
        """Whether all content is there, on the wire, which is waited for if it is known to be ``most`` bytes
        at most, but for no longer than so many seconds."""
        if self.head is not None and self.head.file is not None:
            return False
        if self.arrived:
            return True
        expected = self.stream.expected
        if expected is None or expected > most:
            return False
        self.patience = seconds
        try:
            with self.link.lock, suppress(DeadlineExceeded):
                self.link.wait(self, lambda: self.arrived)
        finally:
            self.patience = None
        return self.arrived

    @property
    def arrived(self) -> bool:
        """Whether nothing more will come, so that reading waits for nothing."""
        if self.inbox.filling:
            return self.error is not None and not self.inbox.writing
        return self.stream.incoming is Half.DONE or self.error is not None

    def _filled(self) -> bool:
        return bool(self.inbox.lent_filled) or self._readable()

    def _readable(self) -> bool:
        return bool(self.inbox.chunks) or self.inbox.lost or self.arrived

    def _move(self, target: memoryview) -> int:
        if not self.inbox.chunks or self.inbox.lost:
            self._check_end()
            return 0
        chunk = self.inbox.chunks[0]
        length = chunk.move_into(target)
        self.link.connection.consume(self.stream, length)
        if not len(chunk):
            self.inbox.chunks.popleft()
            self.link.pool.give_back(chunk.buffer)
        return length

    def _check_end(self) -> None:
        if self.inbox.lost or self.inbox.filling:
            raise self.error or Cancelled("a read that was interrupted has lost a part of the content")
        if self.error and (self.faulty or self.stream.incoming is not Half.DONE):
            raise self.error

    def _reserve(self, wanted: int) -> int:
        """Waits for credit, and returns how much of ``wanted`` it covers."""
        window = self.stream.send_window
        with self.link.lock:
            self.begin()  # whoever waits for the head meanwhile sees that the exchange goes on
            self.link.wait(self, lambda: window.credit > 0 or self.error is not None)
            if self.error:
                raise self.error
            return min(wanted, window.credit, MAX_DATA)

    def _data(self, length: int, last: bool) -> tuple[bytes, bytes]:
        """A data frame's head, and what is owed right behind its payload. Under the link's lock."""
        if self.error:
            raise self.error
        head = self.link.connection.send_data(self.stream, length, last)
        return head, self.link.sent_last(self.stream) if last else b""
