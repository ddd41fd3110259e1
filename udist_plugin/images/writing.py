"""Blobs into files, verified on the way: by the kernel where both ends are files."""

from __future__ import annotations

import os
import sys
from io import FileIO
from typing import TYPE_CHECKING, Final

from udist_plugin.content import CHUNK_SIZE, can_share, chunks
from udist_plugin.errors import DigestInvalid, SizeInvalid
from udist_plugin.oci.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Callable
    from hashlib import _Hash
    from typing import IO

    from udist_plugin.content import Content
    from udist_plugin.oci.descriptor import Descriptor

PIECE: Final = 64 << 20
"""Bytes that the kernel copies between two looks at whether to go on."""


def write_verified(
    content: Content, descriptor: Descriptor, out: IO[bytes], check: Callable[[], None] = lambda: None
) -> None:
    """Writes all of ``content`` to ``out``, and calls ``check`` between pieces.

    Raises ``DigestInvalid`` and ``SizeInvalid`` unless it is what ``descriptor`` says; then ``out`` has
    received some of it.
    """
    size = content.size
    check_size(size, descriptor)
    hasher = None if content.verified else descriptor.digest.hasher()
    if hasher and _copy_by_kernel(content, out, check):
        _hash_end(out, size, hasher, check)
    else:
        _stream(content, hasher, out, check)
    if hasher:
        check_digest(hasher, descriptor)


def check_size(size: int, descriptor: Descriptor) -> None:
    """Raises ``SizeInvalid`` unless it is what ``descriptor`` says, if it says any."""
    if descriptor.size not in (0, size):
        raise SizeInvalid(
            {"digest": descriptor.digest, "expected": descriptor.size, "actual": size},
            "the blob does not have the size that the manifest states",
        )


def check_digest(hasher: _Hash, descriptor: Descriptor) -> None:
    """Raises ``DigestInvalid`` unless what was hashed is what ``descriptor`` says."""
    if (actual := Digest.from_hash(hasher)) != descriptor.digest:
        raise DigestInvalid(
            {"expected": descriptor.digest, "actual": actual}, "the blob's content does not match its digest"
        )


def _stream(content: Content, hasher: _Hash | None, out: IO[bytes], check: Callable[[], None]) -> None:
    shared = out.seekable() and not out.tell() and can_share(content) and content.share(out.fileno())
    for chunk in chunks(content):
        try:
            check()
            if hasher:
                hasher.update(chunk.view)
            if not shared:
                out.write(chunk.view)
        finally:
            chunk.release()


def _copy_by_kernel(content: Content, out: IO[bytes], check: Callable[[], None]) -> bool:
    """Has the kernel copy all of it, or let both files share it. ``False`` where it cannot; then nothing has
    changed."""
    if sys.platform != "linux" or not isinstance(content.file, FileIO) or not out.seekable():
        return False
    out.flush()
    left = content.size
    while left:
        check()
        try:
            count = os.copy_file_range(content.file.fileno(), out.fileno(), min(left, PIECE))
        except OSError:
            if left < content.size:
                raise
            return False  # not between these two file systems
        if not count:
            raise SizeInvalid(
                {"expected": content.size, "missing": left}, "the file was cut while it was read"
            )
        left -= count
    out.seek(0, os.SEEK_END)
    return True


def _hash_end(out: IO[bytes], size: int, hasher: _Hash, check: Callable[[], None]) -> None:
    """Hashes the last ``size`` bytes as they were written: the source could change between two looks."""
    buffer = memoryview(bytearray(min(CHUNK_SIZE, size)))
    with open(f"/proc/self/fd/{out.fileno()}", "rb", buffering=0) as file:
        file.seek(-size, os.SEEK_END)
        while size and (count := file.readinto(buffer)):
            check()
            hasher.update(buffer[:count])
            size -= count
