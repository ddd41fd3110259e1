"""An object of Google Cloud Storage on its way out, or in by a resumable upload.

The library's own reader asks for each piece anew and its writer commits when it is forgotten, so both are
spoken here, over the library's session: https://cloud.google.com/storage/docs/resumable-uploads.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from udist_plugin.content import Content
from udist_plugin.drivers.gcs.client import NAME
from udist_plugin.drivers.objects.chunks import ChunkedWriter
from udist_plugin.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from requests import Response

    from udist_plugin.drivers.gcs.client import GcsClient

PIECE: Final = 64 << 10
"""Bytes taken off a connection at a time."""
RESUMPTIONS: Final = 5
"""How often a content that is cut short is asked for again."""


class GcsContent(Content):
    """A response's bytes, and the same object's from where they broke off."""

    def __init__(self, client: GcsClient, key: str, start: int, response: Response) -> None:
        self.size = int(response.headers["Content-Length"])
        self._client = client
        self._key = key
        self._position = start
        self._end = start + self.size
        self._generation = response.headers["X-Goog-Generation"]
        self._resumptions = 0
        self._left = b""
        self._take(response)

    def read(self, size: int = -1) -> bytes:
        if size < 0:
            return b"".join(iter(lambda: self.read(PIECE), b""))
        if not size or not self.size:
            return b""
        data = self._left or self._next()
        data, self._left = data[:size], data[size:]
        self.size -= len(data)
        if not self.size:
            next(self._pieces, b"")  # seen to its end, the connection serves the next request
        return data

    def close(self) -> None:
        self._response.close()

    def _take(self, response: Response) -> None:
        self._response = response
        self._pieces: Iterator[bytes] = response.iter_content(PIECE)

    def _next(self) -> bytes:
        while True:
            problem: object = "it ended early"
            try:
                if piece := next(self._pieces, b""):
                    self._position += len(piece)
                    return piece
            except OSError as error:  # requests' own errors are
                problem = error
            self._response.close()
            if self._resumptions == RESUMPTIONS:
                raise StorageError(
                    f"the transfer broke off at byte {self._position}: {problem}", driver=NAME, path=self._key
                )
            self._resumptions += 1
            if (again := self._client.open(self._key, self._position, self._end, self._generation)) is None:
                raise StorageError("became shorter while it was read", driver=NAME, path=self._key)
            self._take(again)


class GcsWriter(ChunkedWriter):
    """One request when it is small, else a session that takes a chunk at a time.

    A chunk is sent once more bytes follow: the last must tell the size of all.
    """

    def __init__(
        self,
        client: GcsClient,
        key: str,
        chunk_size: int,
        *,
        start: Callable[[], str],
        put: Callable[[bytes], None],
    ) -> None:
        """``start`` starts a session and returns its URL, ``put`` sends all in one request."""
        super().__init__(chunk_size)
        self._client = client
        self._key = key
        self._start = start
        self._put_whole = put
        self._session = ""
        self._arrived = 0
        self._generation = ""
        self._ended = False

    def commit(self) -> None:
        if self._session:
            self._send(str(self.size))
        else:
            self._put_whole(bytes(self._chunk))
        self._ended = True

    def cancel(self) -> None:
        self._drop_chunk()
        if self._session and not self._ended:
            self._client.end_session(self._session)
        self._ended = True

    def _send(self, total: str = "*") -> None:
        """Sends the chunk, and after a failure what of it had not arrived."""
        if not self._session:
            self._session = self._start()
        start, failed = self._arrived, False
        end = start + len(self._chunk)

        def attempt() -> None:
            nonlocal failed
            ended = failed and self._put(b"", f"bytes */{total}")
            failed, least = True, start
            while not ended and self._arrived != end:
                arrived = self._arrived
                if not least <= arrived < end:
                    break
                rest = memoryview(self._chunk)[arrived - start :]
                ended = self._put(rest, f"bytes {arrived}-{end - 1}/{total}")
                least = arrived + 1
            taken = ended if total != "*" else self._arrived == end and not ended
            if not taken:
                raise StorageError(
                    "the service did not accept a chunk as it was sent", driver=NAME, path=self._key
                )

        _, repeated = self._client.attempt(attempt, key=self._key)
        if repeated and self._generation:
            self._client.look(self._key, self._generation)
        self._drop_chunk()

    def _put(self, data: bytes | memoryview, content_range: str) -> bool:
        """Whether that ended the upload; if not, ``_arrived`` is what the service has."""
        response = self._client.exchange("PUT", self._session, {"Content-Range": content_range}, data)
        with response:
            if response.status_code != 308:
                self._generation = response.json().get("generation", "unknown")
                return True
            found = re.fullmatch(r"bytes=0-(\d+)", response.headers.get("Range", ""))
            self._arrived = int(found[1]) + 1 if found else 0
            return False
