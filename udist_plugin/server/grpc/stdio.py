"""What the plugin prints, for hosts to mirror: go-plugin's ``GRPCStdio``.

Descriptor 1 is a pipe whose other end is read here, so that no print goes astray. The log stays on standard
error, which a host reads from the first moment; when nobody does any more, because the host is gone and
another has taken the plugin over, it is mirrored, too.
"""

from __future__ import annotations

import os
import threading
from collections import deque

from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from udist_plugin.server.grpc.library import Call

STDOUT: Final = 1
STDERR: Final = 2
"""go-plugin's numbers of the channels."""

CHUNK: Final = 4096
"""Bytes of a message."""
KEPT: Final = 64
"""Messages kept for a host that has not come yet, or reads slowly; the oldest are dropped."""


class Mirror:
    """Keeps what is printed until a host takes it."""

    def __init__(self) -> None:
        self._kept: deque[bytes] = deque(maxlen=KEPT)
        self._changed = threading.Condition()
        self._closed = False

    def add(self, channel: int, text: bytes) -> None:
        """From any thread; waits for nobody."""
        with self._changed:
            for start in range(0, len(text), CHUNK):
                self._kept.append(stdio_data(channel, text[start : start + CHUNK]))
            self._changed.notify_all()

    def take_descriptor(self, number: int) -> None:
        """Mirrors what is written to a descriptor from now on."""
        reading, writing = os.pipe()
        os.dup2(writing, number)
        os.close(writing)
        threading.Thread(target=self._read, args=(reading,), name="udist-stdout", daemon=True).start()

    def stream(self, call: Call) -> None:
        """``GRPCStdio.StreamStdio``: sends what is printed, until the host leaves or the plugin ends."""
        call.receive()
        left = threading.Event()

        def leave() -> None:
            left.set()
            with self._changed:
                self._changed.notify_all()

        if not call.on_end(leave):
            return
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._kept or self._closed or left.is_set())
                if left.is_set() or not self._kept:
                    break
                message = self._kept.popleft()
            call.send(message)
        call.finish("OK", "", unprocessed=False)

    def close(self) -> None:
        """Nothing more is printed: hosts are sent the rest."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _read(self, descriptor: int) -> None:
        while text := os.read(descriptor, CHUNK):
            self.add(STDOUT, text)


def stdio_data(channel: int, data: bytes) -> bytes:
    """go-plugin's message ``StdioData``: the channel (1) and at most ``CHUNK`` bytes (2)."""
    length = bytes((len(data) & 0x7F | 0x80, len(data) >> 7)) if len(data) > 127 else bytes((len(data),))
    return bytes((0x08, channel, 0x12)) + length + data
