"""Writers that collect what they are given until it is worth a request."""

from __future__ import annotations

from abc import abstractmethod

from udist_plugin.drivers.objects.store import ObjectWriter


class ChunkedWriter(ObjectWriter):
    """Sends a chunk of ``chunk_size`` bytes once more bytes follow: the last one may be all there is."""

    def __init__(self, chunk_size: int) -> None:
        self.size = 0
        self._chunk_size = chunk_size
        self._chunk = bytearray()

    def write(self, data: bytes | memoryview) -> None:
        left = memoryview(data)
        while left:
            if len(self._chunk) == self._chunk_size:
                self._send()
            part = left[: self._chunk_size - len(self._chunk)]
            self._chunk += part
            self.size += len(part)
            left = left[len(part) :]

    def _drop_chunk(self) -> None:
        """Begins another one: what sent this may still look at it."""
        self._chunk = bytearray()

    @abstractmethod
    def _send(self) -> None:
        """Sends the chunk, and drops it."""
