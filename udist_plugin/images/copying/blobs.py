"""One blob after the other, from a source to a destination."""

from __future__ import annotations

from typing import TYPE_CHECKING

from udist_plugin.content import Content
from udist_plugin.images.placing import noted
from udist_plugin.images.progress import Counted
from udist_plugin.images.writing import check_size
from udist_plugin.remote.repeating import is_passing, repeat

if TYPE_CHECKING:
    from collections.abc import Callable

    from udist_plugin.images.copying.recompression import Recompression
    from udist_plugin.images.parallel import Stop
    from udist_plugin.images.progress import Progress
    from udist_plugin.images.transports.base import ImageDestination, ImageSource
    from udist_plugin.oci.descriptor import Descriptor
    from udist_plugin.oci.digest import Digest


class Blobs:
    """Copies blobs, or if ``dry``, tells which it would have to move. Safe for any number of threads."""

    def __init__(
        self,
        source: ImageSource,
        destination: ImageDestination,
        progress: Progress,
        stop: Stop,
        *,
        dry: bool = False,
    ) -> None:
        self._source = source
        self._destination = destination
        self._progress = progress
        self._stop = stop
        self._dry = dry

    def copy(self, blob: Descriptor) -> Digest | None:
        """The digest of ``blob`` if it had to be moved: it was not there, and could not be taken over either.

        What failed below HTTP is tried again, a few times.
        """
        with noted("copying", blob.digest):
            return self._copy(blob, lambda: self._source.open_blob(blob))

    def recompress(self, layer: Descriptor, recompression: Recompression) -> Digest | None:
        """The same with what is made of ``layer``."""
        with (
            noted("copying", layer.digest),
            recompression.made(layer, self._progress, self._stop) as (made, opened),
        ):
            self._progress.expect(0, made.size)
            return self._copy(made, opened)

    def _copy(self, blob: Descriptor, opened: Callable[[], Content]) -> Digest | None:
        self._stop.check()
        if self._dry:
            return None if self._destination.has_blob(blob) else blob.digest
        moving = _Moving()
        with self._progress.begin("copying", blob.digest, blob.size, moving.done) as task:
            if self._destination.has_blob(blob) or self._destination.reuse_blob(blob, self._source):
                task.end("exists")
                return None
            repeat(lambda: self._move(blob, opened, moving), is_passing)
            task.end("copied")
            return blob.digest

    def _move(self, blob: Descriptor, opened: Callable[[], Content], moving: _Moving) -> None:
        self._stop.check()
        with opened() as content:
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
