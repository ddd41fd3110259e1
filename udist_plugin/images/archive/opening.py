"""An archive as a plain file that can be sought in, whatever it is: compressed, a pipe, or both."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import stat
import tempfile
import zlib
from typing import TYPE_CHECKING, Final

from udist_plugin.content import CHUNK_SIZE
from udist_plugin.errors import ImageUnknown, LayoutInvalid
from udist_plugin.images.placing import named

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

    from _typeshed import WriteableBuffer

    from udist_plugin.content import Readable

STANDARD: Final = "-"
"""The path that stands for standard input or output."""

RATIO_MAX: Final = 200
"""How many bytes a compressed one may stand for, beyond ``FREE``."""

FREE: Final = 1 << 30
"""Bytes that any archive may unpack to."""

MAGIC_MAX: Final = 6


def open_archive(path: str) -> BinaryIO:
    """The file at ``path``, or a temporary one with its content. Raises ``ImageUnknown``, ``LayoutInvalid``
    and ``OSError``."""
    try:
        raw = open(0 if path == STANDARD else path, "rb", buffering=0, closefd=path != STANDARD)  # noqa: SIM115
    except FileNotFoundError:
        raise ImageUnknown("there is no such archive", path) from None
    try:
        source = _Counted(raw)
        opener = decompressor_of(source.start)
        if opener is None and stat.S_ISREG(os.fstat(raw.fileno()).st_mode):
            raw.seek(0)
            return raw
        buffered = io.BufferedReader(source, CHUNK_SIZE)
        spooled = _spooled(path, opener(buffered) if opener else buffered, source)
    except BaseException:
        raw.close()
        raise
    raw.close()
    return spooled


def compression_of(start: bytes) -> str | None:
    """What content that begins with ``start`` is compressed with: gzip, zstd, xz or bzip2."""
    return next((name for magic, name in _MAGIC.items() if start.startswith(magic)), None)


_MAGIC: Final = {
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\xfd7zXZ\x00": "xz",
    b"BZh": "bzip2",
}


def decompressor_of(start: bytes) -> Callable[[BinaryIO], Readable] | None:
    """What opens a compressed file that begins with ``start``; ``None`` for one that is not compressed."""
    match compression_of(start):
        case "gzip":
            return lambda file: gzip.GzipFile(fileobj=file)
        case "bzip2":
            return bz2.BZ2File
        case "xz":
            return lzma.LZMAFile
        case "zstd":
            from udist_plugin.images.archive.zstd import open_zstd

            return open_zstd
    return None


def _spooled(path: str, content: Readable, source: _Counted) -> BinaryIO:
    """All of ``content`` in a temporary file."""
    with named(tempfile.gettempdir()):
        file = tempfile.TemporaryFile()  # noqa: SIM115 - the caller's
    try:
        size = 0
        while data := _read(path, content):
            size += len(data)
            if size > FREE + RATIO_MAX * source.count:
                raise LayoutInvalid(f"unpacks to more than {RATIO_MAX} times its size", path)
            with named(tempfile.gettempdir()):
                file.write(data)
        with named(tempfile.gettempdir()):
            file.seek(0)
    except BaseException:
        file.close()
        raise
    return file


def _read(path: str, content: Readable) -> bytes:
    try:
        return content.read(CHUNK_SIZE)
    except (EOFError, gzip.BadGzipFile, lzma.LZMAError, zlib.error, ValueError) as error:
        raise LayoutInvalid(f"the compressed archive is damaged or cut short: {error}", path) from None
    except OSError as error:  # bz2's for damaged content
        if error.errno is not None:
            raise
        raise LayoutInvalid(f"the compressed archive is damaged: {error}", path) from None


class _Counted(io.RawIOBase):
    """``raw``, counting what is read of it. ``start`` is what it begins with, also where a pipe gives it in
    pieces."""

    def __init__(self, raw: io.FileIO) -> None:
        self.count = 0
        self._raw = raw
        start = b""
        while len(start) < MAGIC_MAX and (data := raw.read(MAGIC_MAX - len(start))):
            start += data
        self.start = self._ahead = start

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        if self._ahead:
            count = min(len(self._ahead), len(memoryview(buffer)))
            memoryview(buffer)[:count] = self._ahead[:count]
            self._ahead = self._ahead[count:]
        else:
            count = self._raw.readinto(buffer)
        self.count += count
        return count
