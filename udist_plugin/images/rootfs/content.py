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
    from hashlib import _Hash

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

    Raises ``LayoutInvalid`` as ``decompressed`` does, ``DigestInvalid`` and ``SizeInvalid``.
    """
    with source.open_blob(layer) as content:
        check_size(content.size, layer)
        hasher = None if content.verified else layer.digest.hasher()
        with decompressed(content, layer.digest, hasher, progress, doing) as plain:
            yield plain
        if hasher:
            check_digest(hasher, layer)


@contextmanager
def decompressed(
    content: Content, name: str, hasher: _Hash | None, progress: Progress, doing: str
) -> Iterator[Readable]:
    """What ``content`` is, without its compression, if it has any; ``hasher`` gets all of it as it is. When
    the block ends, what is left is read.

    Raises ``LayoutInvalid`` with ``name`` for what is damaged, unpacks to too much, or is no tar to whoever
    reads it.
    """
    raw = _Hashed(content, hasher)
    with progress.begin(doing, name, content.size, raw.done) as task:
        buffered = io.BufferedReader(raw, CHUNK_SIZE)
        try:
            opener = decompressor_of(buffered.peek(MAGIC_MAX)[:MAGIC_MAX])
            plain = _Bounded(opener(buffered) if opener else buffered, raw, name)
            yield plain
            for rest in (plain, buffered):  # padding counts for the digest
                while rest.read(CHUNK_SIZE):
                    pass
        except _DAMAGED as error:
            raise LayoutInvalid(f"is no tar archive, or damaged: {error}", name) from None
        task.end("unpacked")


class _Hashed(io.RawIOBase):
    """``content``, hashed and counted while it is read."""

    def __init__(self, content: Content, hasher: _Hash | None) -> None:
        self.count = 0
        self._content = content
        self._hasher = hasher

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


class _Bounded:
    """Decompressed content that ends with an error where it is a bomb."""

    def __init__(self, content: Readable, raw: _Hashed, name: str) -> None:
        self._content = content
        self._raw = raw
        self._name = name
        self._size = 0

    def read(self, size: int = -1, /) -> bytes:
        data = self._content.read(size)
        self._size += len(data)
        if self._size > FREE + RATIO_MAX * self._raw.count:
            raise LayoutInvalid(f"unpacks to more than {RATIO_MAX} times its size", self._name)
        return data
