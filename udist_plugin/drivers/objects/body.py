"""Content that is sent from the memory it stands in."""

from __future__ import annotations

import os
from typing import Final

PIECE: Final = 256 << 10
"""Bytes given to the socket at once: it may take as long over each as to connect."""


class Body:
    """A file over ``content``, for as long as a request and its repetitions take."""

    def __init__(self, content: bytes | memoryview) -> None:
        self._view = memoryview(content)
        self._position = 0

    def __len__(self) -> int:
        return len(self._view)

    def read(self, size: int = -1) -> memoryview:  # noqa: ARG002
        """A piece, however few bytes are asked for: urllib3 asks for 16 KiB, and takes what it is given."""
        piece = self._view[self._position : self._position + PIECE]
        self._position += len(piece)
        return piece

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: len(self._view)}[whence]
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        return self._position
