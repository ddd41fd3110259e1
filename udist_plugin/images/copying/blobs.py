"""One blob after the other, from a source to a destination."""

from __future__ import annotations

from typing import TYPE_CHECKING

from udist_plugin.content import Content
from udist_plugin.images.placing import noted
from udist_plugin.images.progress import Counted
from udist_plugin.images.writing import check_size
from udist_plugin.remote.repeating import is_passing, repeat

if TYPE_CHECKING:
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


class _Watched(Counted, Content):
    """``content``, of which anybody can ask how far it is read, also by the kernel if it is a file."""

    def __init__(self, content: Content) -> None:
        super().__init__(content)
        self.size = content.size
        self.file = content.file or getattr(content, "shared_file", None)
        self.verified = content.verified
        self._start = self.file.tell() if self.file else 0

    def done(self) -> int:
        """Bytes that were read."""
        read = super().done()
        try:
            return max(read, self.file.tell() - self._start) if self.file else read
        except ValueError:  # closed meanwhile
            return self.size
