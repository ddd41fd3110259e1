"""One object made of others by S3 itself: in one copy, or as an upload whose parts are copies.

Every part but the last has 5 MiB at least. What is smaller goes through here, together with its neighbours.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, NamedTuple

from udist_plugin.errors import PathNotFound
from udist_plugin.storage.drivers.s3_client import errors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from udist_plugin.storage.drivers.object_store import StoredObject
    from udist_plugin.storage.drivers.s3_store import S3Store

PART_MIN: Final = 5 << 20
PARTS: Final = 9_000
"""Parts that a copy is cut in at most; 10,000 is the service's limit, and sources have ends of their own."""


class Piece(NamedTuple):
    """Bytes of a source from ``start`` up to, not including, ``end``."""

    source: StoredObject
    start: int
    end: int


class Join:
    """Makes ``key`` of ``sources``. Raises ``PathNotFound`` when one is no longer what it was."""

    def __init__(self, store: S3Store, sources: Sequence[StoredObject], key: str) -> None:
        self._store = store
        self._sources = [source for source in sources if source.size]
        self._all = sources
        self._key = key
        self._upload = ""

    def run(self) -> None:
        settings = self._store.settings
        size = sum(source.size for source in self._sources)
        if len(self._all) == 1 and size <= settings.copied_whole:
            self._copy_whole(self._all[0])
            return
        parts = plan(self._sources, max(settings.copied_part, -(-size // PARTS)))
        if len(parts) < 2 and size < PART_MIN:
            for source in self._all:
                self._store.unchanged(source)
            self._store.put(self._key, b"".join(self._read(piece) for part in parts for piece in part))
            return
        self._upload = self._store.start(self._key)
        try:
            with ThreadPoolExecutor(min(settings.copies, len(parts)), "udist-s3-copy") as pool:
                numbers = range(1, len(parts) + 1)
                try:
                    tags = list(pool.map(self._part, numbers, parts))
                except BaseException:
                    pool.shutdown(cancel_futures=True)
                    raise
            self._store.complete(self._key, self._upload, tags)
        except BaseException:
            self._store.abort(self._key, self._upload)
            raise

    def _copy_whole(self, source: StoredObject) -> None:
        with errors(source.key, unmet=PathNotFound):
            self._store.client.copy_object(
                Bucket=self._store.bucket,
                Key=self._key,
                CopySource={"Bucket": self._store.bucket, "Key": source.key},
                CopySourceIfMatch=source.version,
                **self._store.attributes,
            )

    def _part(self, number: int, pieces: Sequence[Piece]) -> str:
        if len(pieces) > 1 or pieces[0].end - pieces[0].start < PART_MIN:
            data = b"".join(map(self._read, pieces))
            return self._store.send(self._key, self._upload, number, data)
        source, start, end = pieces[0]
        with errors(source.key, unmet=PathNotFound):
            copied = self._store.client.upload_part_copy(
                Bucket=self._store.bucket,
                Key=self._key,
                UploadId=self._upload,
                PartNumber=number,
                CopySource={"Bucket": self._store.bucket, "Key": source.key},
                CopySourceIfMatch=source.version,
                CopySourceRange=f"bytes={start}-{end - 1}",
            )
        return copied["CopyPartResult"]["ETag"]

    def _read(self, piece: Piece) -> bytes:
        self._store.unchanged(piece.source)
        with self._store.get(piece.source.key, piece.start, piece.end) as content:
            return content.read()


def plan(sources: Sequence[StoredObject], part: int) -> list[list[Piece]]:
    """The pieces of each part, in order: one piece of at least 5 MiB, or small ones together."""
    parts: list[list[Piece]] = []
    small: list[Piece] = []
    gathered = 0
    for source in sources:
        start = 0
        if small:
            start = min(source.size, PART_MIN - gathered)
            small.append(Piece(source, 0, start))
            gathered += start
            if gathered == PART_MIN:
                parts.append(small)
                small, gathered = [], 0
        while source.size - start >= PART_MIN:
            left = source.size - start
            end = source.size if left < part + PART_MIN and left <= 5 << 30 else start + part
            parts.append([Piece(source, start, end)])
            start = end
        if start < source.size:
            small.append(Piece(source, start, source.size))
            gathered = source.size - start
    if small:
        parts.append(small)
    return parts
