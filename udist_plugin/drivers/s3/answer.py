"""The content of an answer of S3, read, or moved by the kernel from the socket it comes from."""

from __future__ import annotations

import os
import select
import sys
from typing import Any, Final

from udist_plugin.drivers.objects.content import Bytes

ATOM: Final = 4096
"""Bytes that any empty pipe takes at once."""


class Answer(Bytes):
    """``body`` is botocore's; ``patience``, in seconds, bounds the wait for the next bytes."""

    def __init__(self, body: Any, patience: float) -> None:
        self._body = body
        self._patience = patience
        self._ahead: memoryview | None = None
        """What was read with the head and is not moved yet; ``None`` before it was looked for."""

    def read(self, size: int) -> bytes:
        data: bytes = self._body.read(size)
        return data

    def close(self) -> None:
        self._body.close()

    if sys.platform == "linux":

        def splice(self, pipe: int, size: int) -> int:
            """See ``Content``. Nothing may be read any more."""
            response = self._body._raw_stream  # urllib3's; its head was read through a buffer
            if self._ahead is None:
                self._ahead = memoryview(self._body.read(len(response._fp.peek())))
            if self._ahead:
                count = os.write(pipe, self._ahead[: min(size, ATOM)])
                self._ahead = self._ahead[count:]
                return count
            return self._move(response.fileno(), pipe, size)

        def _move(self, socket: int, pipe: int, size: int) -> int:
            total = 0
            while total < size:
                try:
                    count = os.splice(socket, pipe, size - total, flags=os.SPLICE_F_NONBLOCK)
                except BlockingIOError:  # nothing is there, or the pipe is full
                    if total:
                        break
                    self._wait(socket)
                    continue
                if not count:
                    break
                total += count
            return total

        def _wait(self, socket: int) -> None:
            poll = select.poll()
            poll.register(socket, select.POLLIN)
            if not poll.poll(self._patience * 1000):
                raise TimeoutError(f"nothing was received for {self._patience:g} s")
