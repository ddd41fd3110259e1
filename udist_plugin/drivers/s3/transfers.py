"""An object of S3 on its way out, or in by parts."""

from __future__ import annotations

import sys
from collections import deque
from mmap import mmap
from typing import TYPE_CHECKING, Final

from udist_plugin.content import Content
from udist_plugin.drivers.objects.store import ObjectWriter
from udist_plugin.drivers.s3.client import FAILURES, NAME
from udist_plugin.errors import StorageError
from udist_plugin.helpers import Helpers

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from udist_plugin.drivers.s3.answer import Answer
    from udist_plugin.drivers.s3.multipart import MultipartUpload

IN_FLIGHT: Final = 3
"""Parts of an upload sent at once: one connection does not fill a line to S3."""
RESUMPTIONS: Final = 5
"""How often a content that is cut short is asked for again."""
PIECE: Final = 1 << 20
"""Bytes read at once at most."""
SPLICED: Final = 1 << 20
"""Bytes from which on it pays to let the kernel move them, which costs a connection."""


class S3Content(Content):
    """An answer's bytes, and the same version's from where they broke off."""

    def __init__(
        self, key: str, start: int, size: int, answer: Answer, again: Callable[[int], Answer], *, plain: bool
    ) -> None:
        """``again`` asks for the rest of the version that ``answer`` is of, from an offset on; ``plain`` says
        that the bytes come through a socket as they are."""
        self.size = size
        self.spliceable = plain and sys.platform == "linux" and size >= SPLICED
        self._key = key
        self._position = start
        self._answer = answer
        self._again = again
        self._resumptions = 0

    def read(self, size: int = -1) -> bytes:
        if size < 0:
            return b"".join(iter(lambda: self.read(PIECE), b""))
        data = b""

        def read(size: int) -> int:
            nonlocal data
            data = self._answer.read(size)
            return len(data)

        self._move(read, min(size, PIECE))
        return data

    def splice(self, pipe: int, size: int) -> int:
        return self._move(lambda size: self._answer.splice(pipe, size), size)

    def close(self) -> None:
        self._answer.close()

    def _move(self, move: Callable[[int], int], size: int) -> int:
        """How many of up to ``size`` bytes ``move`` has moved, if need be from another answer."""
        size = min(size, self.size)
        while size:
            problem: object = "it ended early"
            try:
                count = move(size)
            except FAILURES as error:
                problem, count = error, 0
            if count:
                self.size -= count
                self._position += count
                return count
            self._resume(problem)
        return 0

    def _resume(self, problem: object) -> None:
        self.close()
        if self._resumptions == RESUMPTIONS:
            raise StorageError(
                f"the transfer broke off at byte {self._position}: {problem}", driver=NAME, path=self._key
            )
        self._resumptions += 1
        self._answer = self._again(self._position)


class PartBuffers:
    """Memory for parts of ``size`` bytes, used again: made anew for each, it is never quite given back."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._free: list[mmap] = []

    def take(self) -> mmap:
        try:
            return self._free.pop()
        except IndexError:
            return mmap(-1, self.size)

    def give_back(self, buffer: mmap) -> None:
        if len(self._free) <= IN_FLIGHT:
            self._free.append(buffer)


class S3Writer(ObjectWriter):
    """One request when it is small, else parts of one size, some of them under way while others come."""

    def __init__(
        self,
        buffers: PartBuffers,
        *,
        put: Callable[[bytes], None],
        start: Callable[[], MultipartUpload],
        complete: Callable[[MultipartUpload], None],
    ) -> None:
        """``put`` sends all in one request, ``start`` and ``complete`` are an upload's of parts."""
        self.size = 0
        self._buffers = buffers
        self._put = put
        self._start = start
        self._complete = complete
        self._part: mmap | None = None
        self._filled = 0
        self._parts = 0
        self._upload: MultipartUpload | None = None
        self._pool: Helpers | None = None
        self._sending: deque[Future[None]] = deque()

    def write(self, data: bytes | memoryview) -> None:
        left = memoryview(data)
        while left:
            if self._filled == self._buffers.size:
                self._send()
            self._part = self._part or self._buffers.take()
            taken = left[: self._buffers.size - self._filled]
            self._part[self._filled : self._filled + len(taken)] = taken
            self._filled += len(taken)
            self.size += len(taken)
            left = left[len(taken) :]

    def commit(self) -> None:
        if self._upload is None:
            self._put(self._part[: self._filled] if self._part else b"")
        else:
            self._send()
            self._wait(0)
            self._complete(self._upload)
            self._upload = None
        self.cancel()

    def cancel(self) -> None:
        """Waits for what is under way: a part that arrives after the abort would stay."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
        if self._upload is not None:
            self._upload.abort()
            self._upload = None
        self._sending.clear()
        if self._part is not None:
            self._buffers.give_back(self._part)
            self._part = None

    def _send(self) -> None:
        if self._upload is None or self._pool is None:
            self._upload = self._start()
            self._pool = Helpers(IN_FLIGHT, "udist-s3")
        self._wait(IN_FLIGHT - 1)
        self._parts += 1
        assert self._part
        self._sending.append(self._pool.submit(self._deliver, self._parts, self._part, self._filled))
        self._part, self._filled = None, 0

    def _deliver(self, number: int, part: mmap, length: int) -> None:
        assert self._upload
        try:
            self._upload.send(number, memoryview(part)[:length])
        finally:
            self._buffers.give_back(part)

    def _wait(self, most: int) -> None:
        """Returns when no more parts than that are on their way; raises what befell the others."""
        while len(self._sending) > most:
            self._sending.popleft().result()
