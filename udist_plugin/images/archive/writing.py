"""A tar file being written: files in the order they come, each whole or not at all."""

from __future__ import annotations

import os
import tarfile
import threading
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from udist_plugin.errors import ImageError
from udist_plugin.images.archive.opening import STANDARD
from udist_plugin.images.placing import beside, is_device, named

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO


class TarWriter:
    """The archive at ``path``, which takes the place of what is there when it is finished. A pipe, a device
    and ``-``, standard output, are written to as the files come.

    The same files in the same order are the same bytes. Threads write one after the other.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._stack = ExitStack()
        self._temporary = ""
        self._out: BinaryIO | None = None
        self._names: set[str] = set()
        self._broken = False

    def has(self, name: str) -> bool:
        return name in self._names

    @contextmanager
    def add(self, name: str, size: int) -> Iterator[BinaryIO]:
        """Where to write the ``size`` bytes of a file. If that fails, the file is taken back."""
        with self._lock, named(self.path):
            out = self._opened()
            start = out.tell() if self._temporary else 0
            info = tarfile.TarInfo(name)
            info.size, info.mode = size, 0o644
            try:
                out.write(info.tobuf(tarfile.GNU_FORMAT))
                yield out
                out.write(bytes(-size % tarfile.BLOCKSIZE))
            except BaseException:
                self._take_back(start)
                raise
            self._names.add(name)

    def add_bytes(self, name: str, content: bytes) -> None:
        """Adds a file, unless it is there."""
        if not self.has(name):
            with self.add(name, len(content)) as out:
                out.write(content)

    def finish(self) -> None:
        """Writes the end of the archive and puts it in its place."""
        with self._lock, named(self.path):
            out = self._opened()
            out.write(bytes(2 * tarfile.BLOCKSIZE))
            out.flush()
            if self._temporary:
                os.replace(self._temporary, self.path)

    def close(self) -> None:
        """Drops what was not finished; twice is once."""
        self._stack.close()

    def _opened(self) -> BinaryIO:
        if self._broken:
            raise ImageError("a file that was begun could not be finished; start again", self.path)
        if self._out is None:
            if self.path == STANDARD:
                self._out = self._stack.enter_context(open(1, "wb", closefd=False))  # noqa: SIM115
            elif is_device(self.path):
                self._out = self._stack.enter_context(open(self.path, "wb"))  # noqa: SIM115
            else:
                self._temporary = self._stack.enter_context(beside(self.path))
                self._out = self._stack.enter_context(open(self._temporary, "xb"))  # noqa: SIM115
        return self._out

    def _take_back(self, start: int) -> None:
        """The archive as it was before the file that failed."""
        if self._temporary and self._out:
            self._out.flush()
            self._out.seek(start)
            self._out.truncate()
        else:
            self._broken = True
