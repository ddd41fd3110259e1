"""``wsgi.input``: the content of a request, lent in the buffers it was received in."""

from __future__ import annotations

import re
import threading
from mmap import mmap

from udist_plugin.errors import StreamReset
from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from udist_plugin.gateway.reader import Reader

SIZE: Final = 1 << 20
"""Bytes of a buffer. A quarter of it changes hands more often, which costs a fifth more processor time."""

SMALL: Final = 128 << 10
"""Bytes of a buffer when there are many."""

MANY: Final = 24
"""Buffers in use, of which a push has up to six."""

LONGEST_FRAMING: Final = 256
"""Bytes of a chunk's first line, and of a trailer."""

TRAILERS: Final = 64
"""Trailers of a request, at most."""

CHUNK_SIZE: Final = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?", re.DOTALL)


class Buffers:
    """The buffers of all connections. Free large ones are kept: the kernel clears a fresh page, which costs
    as much as copying."""

    def __init__(self) -> None:
        self._free: list[mmap] = []
        self._used = 0
        self._lock = threading.Lock()

    def take(self) -> mmap:
        with self._lock:
            self._used += 1
            if self._used <= MANY and self._free:
                return self._free.pop()
            size = SIZE if self._used <= MANY else SMALL
        return mmap(-1, size)

    def give_back(self, buffer: mmap) -> None:
        with self._lock:
            self._used -= 1
            if len(buffer) == SIZE and len(self._free) < MANY:
                self._free.append(buffer)


class Piece:
    """See ``udist_plugin.content.Chunk``."""

    __slots__ = ("_buffer", "_buffers", "view")

    def __init__(self, buffers: Buffers, buffer: mmap, size: int) -> None:
        self._buffers = buffers
        self._buffer = buffer
        self.view = memoryview(buffer)[:size]

    def release(self) -> None:
        self._buffers.give_back(self._buffer)


class Content:
    """The content of a request. Reads raise ``StreamReset`` where the client leaves in the middle of it.

    ``content_length`` is in bytes, ``None`` for chunked content. ``complete`` is whether nothing is left.
    """

    content_length: int | None = None
    complete = False

    def __init__(self, reader: Reader, buffers: Buffers) -> None:
        self._reader = reader
        self._buffers = buffers

    def next_chunk(self) -> Piece | None:
        """A full buffer, less at the end, ``None`` after it."""
        if self.complete:
            return None
        buffer = self._buffers.take()
        size = 0
        try:
            size = self._filled(memoryview(buffer))
        finally:
            if not size:
                self._buffers.give_back(buffer)
        return Piece(self._buffers, buffer, size) if size else None

    def read(self, size: int = -1) -> bytes:
        """``size`` bytes, fewer only at the end; everything when negative."""
        data = bytearray()
        while size < 0 or len(data) < size:
            piece = memoryview(bytearray(SMALL if size < 0 else min(SMALL, size - len(data))))
            if not (count := self._filled(piece)):
                break
            data += piece[:count]
        return bytes(data)

    def _filled(self, view: memoryview) -> int:
        try:
            return self._fill(view)
        except OSError as error:
            raise StreamReset(f"the client left in the middle of its request: {error}") from error

    def _fill(self, view: memoryview) -> int:
        """Fills ``view``, less of it only at the end."""
        raise NotImplementedError

    def _read_into(self, view: memoryview) -> int:
        if count := self._reader.read_into(view):
            return count
        raise StreamReset("the client left in the middle of its request")


class SizedContent(Content):
    """Content whose length the head tells."""

    def __init__(self, reader: Reader, buffers: Buffers, length: int) -> None:
        super().__init__(reader, buffers)
        self.content_length = self._left = length
        self.complete = not length

    def _fill(self, view: memoryview) -> int:
        size = min(len(view), self._left)
        done = 0
        while done < size:
            done += self._read_into(view[done:size])
        self._left -= done
        self.complete = not self._left
        return done


class ChunkedContent(Content):
    """Content in chunks (RFC 9112, section 7.1). Extensions and trailers are ignored."""

    _left = 0

    def _fill(self, view: memoryview) -> int:
        done, size = 0, len(view)
        while done < size and (self._left or self._next_size()):
            count = self._read_into(view[done : min(size, done + self._left)])
            done += count
            self._left -= count
            if not self._left:
                self._end_line()
        return done

    def _next_size(self) -> int:
        if not self.complete:
            if not (found := CHUNK_SIZE.fullmatch(self._line())):
                raise StreamReset("the client sent a chunk without a size")
            self._left = int(found[1], 16)
            if not self._left:
                self._skip_trailers()
                self.complete = True
        return self._left

    def _skip_trailers(self) -> None:
        for _ in range(TRAILERS + 1):
            if not self._line():
                return
        raise StreamReset(f"the client sent more than {TRAILERS} trailers")

    def _end_line(self) -> None:
        if self._line():
            raise StreamReset("the client sent a chunk that is longer than its size")

    def _line(self) -> bytes:
        line = self._reader.readline(LONGEST_FRAMING)
        if not line.endswith(b"\n"):
            raise StreamReset("the client sent a chunk with a line that does not end")
        return line.removesuffix(b"\n").removesuffix(b"\r")
