"""Content that stands in a file of a file system that can share it."""

from __future__ import annotations

import io
import os


class InFile(io.BytesIO):
    """``content``; to share it copies it, which every file system can. ``instead`` is what is stored then, if
    the file has changed since somebody looked at it. ``shared`` tells whether that was done."""

    def __init__(self, content: bytes, instead: bytes | None = None) -> None:
        super().__init__(content)
        self._instead = content if instead is None else instead
        self.shared = False

    def share(self, descriptor: int, /) -> bool:
        self.shared = True
        os.write(descriptor, self._instead)
        self.seek(0)
        self.truncate()
        self.write(self._instead)
        self.seek(0)
        return True
