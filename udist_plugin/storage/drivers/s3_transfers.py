"""An object of S3 on its way out, or in by parts."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError
from urllib3.exceptions import HTTPError

from udist_plugin.content import Content
from udist_plugin.errors import StorageError
from udist_plugin.storage.drivers.object_store import ObjectWriter
from udist_plugin.storage.drivers.s3_client import NAME, errors

if TYPE_CHECKING:
    from udist_plugin.storage.drivers.s3_store import S3Store

IN_FLIGHT: Final = 3
"""Parts of an upload sent at once: one connection does not fill a line to S3."""
PARTS_MAX: Final = 10_000
"""Parts of one upload (Amazon S3 multipart upload limits)."""
RESUMPTIONS: Final = 5
"""How often a content that is cut short is asked for again."""
PIECE: Final = 1 << 20
"""Bytes read at a time when everything is asked for."""


class S3Content(Content):
    """A response's bytes, and the same version's from where they broke off."""

    def __init__(self, store: S3Store, key: str, start: int, end: int | None) -> None:
        self._store = store
        self._key = key
        self._position = start
        self._resumptions = 0
        self._version = ""
        self._end = end
        self.size = self._ask()
        self._end = start + self.size

    def read(self, size: int = -1) -> bytes:
        if size < 0:
            return b"".join(iter(lambda: self.read(PIECE), b""))
        while size and self.size:
            problem: object = "it ended early"
            try:
                data: bytes = self._stream.read(min(size, self.size))
            except (BotoCoreError, HTTPError, OSError) as error:
                problem, data = error, b""
            if data:
                self.size -= len(data)
                self._position += len(data)
                return data
            self._resume(problem)
        return b""

    def close(self) -> None:
        """A stream read to its end gives its connection back, another ends it."""
        self._stream.close()

    def _ask(self) -> int:
        """Asks for what is left, and returns its size."""
        wanted: dict[str, Any] = {"IfMatch": self._version} if self._version else {}
        if self._position or self._end is not None:
            last = "" if self._end is None else self._end - 1
            wanted["Range"] = f"bytes={self._position}-{last}"
        with errors(self._key, unmet=StorageError):
            answer = self._store.client.get_object(Bucket=self._store.bucket, Key=self._key, **wanted)
        self._version = answer["ETag"]
        body: Any = answer["Body"]
        self._stream: Any = body._raw_stream  # StreamingBody reads whole, or fails without a word
        return answer["ContentLength"]

    def _resume(self, problem: object) -> None:
        self._stream.close()
        if self._resumptions == RESUMPTIONS:
            raise StorageError(f"cut short at byte {self._position}: {problem}", driver=NAME, path=self._key)
        self._resumptions += 1
        self._ask()


class S3Writer(ObjectWriter):
    """One request when it is small, else parts of one size, some of them under way while others come."""

    def __init__(self, store: S3Store, key: str, *, new: bool) -> None:
        self.size = 0
        self._store = store
        self._key = key
        self._new = new
        self._part_size = store.settings.part
        self._part = bytearray()
        self._upload = ""
        self._pool: ThreadPoolExecutor | None = None
        self._sending: deque[Future[str]] = deque()
        self._tags: list[str] = []
        self._count = 0

    def write(self, data: bytes | memoryview) -> None:
        left = memoryview(data)
        while left:
            if len(self._part) == self._part_size:
                self._send()
            taken = left[: self._part_size - len(self._part)]
            self._part += taken
            self.size += len(taken)
            left = left[len(taken) :]

    def commit(self) -> None:
        if self._upload:
            self._send()
            self._wait(0)
            self._store.complete(self._key, self._upload, self._tags, new=self._new)
            self._upload = ""
        elif self._new:
            self._store.put_new(self._key, bytes(self._part))
        else:
            self._store.put(self._key, bytes(self._part))
        self.cancel()

    def cancel(self) -> None:
        """Waits for what is under way: a part that arrives after the abort would stay."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None
        self._sending.clear()
        self._part = bytearray()
        upload, self._upload = self._upload, ""
        if upload:
            self._store.abort(self._key, upload)

    def _send(self) -> None:
        if self._pool is None:
            self._upload = self._store.start(self._key)
            self._pool = ThreadPoolExecutor(IN_FLIGHT, "udist-s3")
        self._wait(IN_FLIGHT - 1)
        if self._count == PARTS_MAX:
            raise StorageError(
                f"more than {PARTS_MAX} parts: raise storage.s3.chunksize", driver=NAME, path=self._key
            )
        self._count += 1
        part, self._part = self._part, bytearray()
        self._sending.append(self._pool.submit(self._store.send, self._key, self._upload, self._count, part))

    def _wait(self, most: int) -> None:
        """Returns when no more parts than that are on their way; raises what befell the others."""
        while len(self._sending) > most:
            self._tags.append(self._sending.popleft().result())
