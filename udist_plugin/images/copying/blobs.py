"""One blob after the other, from a source to a destination."""

from __future__ import annotations

from typing import TYPE_CHECKING

from udist_plugin.content import Content, can_share, chunks
from udist_plugin.images.placing import noted
from udist_plugin.images.writing import check_size
from udist_plugin.remote.repeating import is_passing, repeat

if TYPE_CHECKING:
    from udist_plugin.content import Chunk
    from udist_plugin.images.parallel import Stop
    from udist_plugin.images.progress import Progress
    from udist_plugin.images.transports.base import ImageDestination, ImageSource
    from udist_plugin.oci.descriptor import Descriptor


class Blobs:
    """Copies blobs. Safe for any number of threads."""

    def __init__(
        self, source: ImageSource, destination: ImageDestination, progress: Progress, stop: Stop
    ) -> None:
        self._source = source
        self._destination = destination
        self._progress = progress
        self._stop = stop

    def copy(self, blob: Descriptor) -> bool:
        """Whether ``blob`` had to be moved: it was not there, and could not be taken over either.

        What failed below HTTP is tried again, a few times.
        """
        self._stop.check()
        moving = _Moving()
        with (
            noted("copying", blob.digest),
            self._progress.begin("copying", blob.digest, blob.size, moving.done) as task,
        ):
            if self._destination.has_blob(blob) or self._destination.reuse_blob(blob, self._source):
                task.end("exists")
                return False
            repeat(lambda: self._move(blob, moving), is_passing)
            task.end("copied")
            return True

    def _move(self, blob: Descriptor, moving: _Moving) -> None:
        self._stop.check()
        with self._source.open_blob(blob) as content:
            check_size(content.size, blob)
            moving.content = _Watched(content)
            self._destination.put_blob(blob, moving.content)


class _Moving:
    """How far a blob is, in whichever attempt."""

    content: _Watched | None = None

    def done(self) -> int:
        return self.content.done() if self.content else 0


class _Watched(Content):
    """``content``, of which anybody can ask how far it is read."""

    def __init__(self, content: Content) -> None:
        self.size = content.size
        self.file = content.file or getattr(content, "shared_file", None)
        self.verified = content.verified
        self._content = content
        self._chunks = chunks(content)
        self._start = self.file.tell() if self.file else 0
        self._done = 0

    def done(self) -> int:
        """Bytes that were read; of a file, also by the kernel."""
        try:
            return max(self._done, self.file.tell() - self._start) if self.file else self._done
        except ValueError:  # closed meanwhile
            return self.size

    def read(self, size: int = -1) -> bytes:
        data = self._content.read(size)
        self._done += len(data)
        return data

    def share(self, descriptor: int, /) -> bool:
        return can_share(self._content) and self._content.share(descriptor)

    def next_chunk(self) -> Chunk | None:
        chunk = next(self._chunks, None)
        self._done += len(chunk.view) if chunk else 0
        return chunk
