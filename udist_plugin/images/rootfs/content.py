"""A layer without its compression, read as a stream: verified, bounded, and never stored."""

from __future__ import annotations

import gzip
import io
import lzma
import tarfile
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from udist_plugin.content import CHUNK_SIZE
from udist_plugin.errors import LayoutInvalid
from udist_plugin.images.archive.opening import FREE, MAGIC_MAX, RATIO_MAX, decompressor_of
from udist_plugin.images.progress import SILENT
from udist_plugin.images.writing import check_digest, check_size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _typeshed import WriteableBuffer

    from udist_plugin.content import Content, Readable
    from udist_plugin.images.progress import Progress
    from udist_plugin.images.transports.base import ImageSource
    from udist_plugin.oci.descriptor import Descriptor


_DAMAGED: Final = (
    tarfile.TarError,
    gzip.BadGzipFile,
    EOFError,
    zlib.error,
    lzma.LZMAError,
    ValueError,  # zstd's
)


@contextmanager
def unpacked(
    source: ImageSource, layer: Descriptor, progress: Progress = SILENT, doing: str = "unpacking"
) -> Iterator[Readable]:
    """The layer's tar. When the block ends, what is left of it is read, and the whole layer is verified.

    Raises ``LayoutInvalid`` for what is damaged, is no tar to whoever reads it, or unpacks to too much;
    ``DigestInvalid`` and ``SizeInvalid``.
    """
    with source.open_blob(layer) as content:
        check_size(content.size, layer)
        raw = _Hashed(content, layer)
        with progress.begin(doing, layer.digest, layer.size, raw.done) as task:
            buffered = io.BufferedReader(raw, CHUNK_SIZE)
            try:
                opener = decompressor_of(buffered.peek(MAGIC_MAX)[:MAGIC_MAX])
                plain = _Bounded(opener(buffered) if opener else buffered, raw, layer)
                yield plain
                for rest in (plain, buffered):  # padding counts for the digest
                    while rest.read(CHUNK_SIZE):
                        pass
            except _DAMAGED as error:
                raise LayoutInvalid(
                    f"the layer is no tar archive, or damaged: {error}", layer.digest
                ) from None
            raw.check()
            task.end("unpacked")


class _Hashed(io.RawIOBase):
    """A blob, hashed and counted while it is read."""

    def __init__(self, content: Content, layer: Descriptor) -> None:
        self.count = 0
        self._content = content
        self._layer = layer
        self._hasher = None if content.verified else layer.digest.hasher()

    def done(self) -> int:
        return self.count

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer)
        data = self._content.read(len(view))
        while data and self.count + len(data) < MAGIC_MAX <= len(view):  # of a compression
            more = self._content.read(len(view) - len(data))
            if not more:
                break
            data += more
        view[: len(data)] = data
        self.count += len(data)
        if self._hasher:
            self._hasher.update(data)
        return len(data)

    def check(self) -> None:
        """Raises ``DigestInvalid`` unless all that was read is the blob."""
        if self._hasher:
            check_digest(self._hasher, self._layer)


class _Bounded:
    """Decompressed content that ends with an error where it is a bomb."""

    def __init__(self, content: Readable, raw: _Hashed, layer: Descriptor) -> None:
        self._content = content
        self._raw = raw
        self._layer = layer
        self._size = 0

    def read(self, size: int = -1, /) -> bytes:
        data = self._content.read(size)
        self._size += len(data)
        if self._size > FREE + RATIO_MAX * self._raw.count:
            raise LayoutInvalid(
                f"the layer unpacks to more than {RATIO_MAX} times its size", self._layer.digest
            )
        return data
