"""Content of requests in files that the caller has open."""

from __future__ import annotations

import errno
import os

from udist_plugin.link.file_content import FileContent
from udist_plugin.link.files import PeerFiles
from udist_plugin.link.inbox import PooledChunk
from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from udist_plugin.link.exchange import Exchange
    from udist_plugin.wire.frames import File

CHUNK: Final = 1 << 20
"""Bytes lent at a time."""


class SentFile(FileContent):
    """What a request's content is read from, instead of its exchange. Raises ``OSError`` if the file that was
    ``told`` of is unusable."""

    def __init__(self, exchange: Exchange, told: File, caller: int) -> None:
        """``caller`` is the process id of a caller that shares files, else 0."""
        if not caller:
            raise PermissionError(errno.EPERM, "no files are shared")
        files = PeerFiles(caller)
        try:
            if caller != os.getppid():
                raise ProcessLookupError(errno.ESRCH, "it has ended, and its id may be another's")
            files.check_readable(told)
            super().__init__(files.open(told), told, exchange.deadline)
        finally:
            files.close()
        self._exchange = exchange

    def next_chunk(self) -> PooledChunk | None:
        """Lends the next piece; ``None`` at the end."""
        if not self.size:
            return None
        link = self._exchange.link
        with link.lock:
            chunk = PooledChunk(link.pool.take(CHUNK), self._take_back)
        try:
            chunk.shorten(CHUNK - self.read_into(chunk.extend(CHUNK)))
        except BaseException:
            chunk.release()
            raise
        return chunk

    def check(self) -> None:
        super().check()
        if self._exchange.error:
            raise self._exchange.error

    def _take_back(self, chunk: PooledChunk) -> None:
        with self._exchange.link.lock:
            self._exchange.link.pool.give_back(chunk.buffer)
