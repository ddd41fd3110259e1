"""An object of Swift on its way out, or in: by one request when it is small, else by segments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from udist_plugin.drivers.objects.chunks import ChunkedWriter
from udist_plugin.drivers.objects.content import Bytes, ResumedContent
from udist_plugin.drivers.swift.answers import NAME, digest, etag
from udist_plugin.drivers.swift.client import MARK_FIELD
from udist_plugin.drivers.swift.library import HTTPError
from udist_plugin.drivers.swift.segments import SegmentedObject
from udist_plugin.errors import StorageError

if TYPE_CHECKING:
    from requests import Response

    from udist_plugin.content import Content
    from udist_plugin.drivers.objects.store import StoredObject
    from udist_plugin.drivers.swift.client import SwiftClient

CARRIED_MAX: Final = 1 << 20
"""Bytes below which an object that is joined is carried through here: Swift serves large objects slowly when
their segments are smaller than that."""


class Answer(Bytes):
    """The content of a response."""

    def __init__(self, response: Response) -> None:
        self._response = response

    def read(self, size: int) -> bytes:
        data: bytes = self._response.raw.read(size)
        return data

    def close(self) -> None:
        self._response.close()


class SwiftContent(ResumedContent[Answer]):
    """See ``ResumedContent``."""

    name = NAME
    failures = (OSError, HTTPError)


def content(
    client: SwiftClient, key: str, start: int = 0, end: int | None = None, version: str = ""
) -> Content | None:
    """The bytes of a range, of that version if there is one; ``None`` when there is no such range. Raises
    ``PathNotFound``."""
    if (response := client.open(key, start, end, version)) is None:
        return None
    size, version = int(response.headers["Content-Length"]), etag(response.headers)

    def again(position: int) -> Answer:
        if (rest := client.open(key, position, start + size, version)) is None:
            raise StorageError("became shorter while it was read", driver=NAME, path=key)
        return Answer(rest)

    return SwiftContent(key, start, size, Answer(response), again)


class SwiftWriter(ChunkedWriter):
    """See ``ObjectWriter``."""

    def __init__(self, client: SwiftClient, key: str, mark: str = "") -> None:
        super().__init__(client.settings.chunk_size)
        self._client = client
        self._key = key
        self._mark = mark
        self._large: SegmentedObject | None = None

    def take(self, source: StoredObject) -> None:
        """Adds another object's bytes. Raises ``PathNotFound`` when it is gone or has changed."""
        if source.size >= CARRIED_MAX:
            self._send()
            self._segments().copy(source)
            self.size += source.size
            return
        if (found := content(self._client, source.key, version=source.version)) is not None:
            with found:
                self.write(found.read())

    def commit(self) -> None:
        if self._large is None:
            put(self._client, self._key, bytes(self._chunk), self._mark)
        else:
            self._send()
            self._large.commit(self._mark)
        self.cancel()

    def cancel(self) -> None:
        self._drop_chunk()
        if self._large is not None:
            self._large.cancel()
            self._large = None

    def _segments(self) -> SegmentedObject:
        if self._large is None:
            self._large = SegmentedObject(self._client, self._key)
        return self._large

    def _send(self) -> None:
        if self._chunk:
            self._segments().send(bytes(self._chunk))
            self._drop_chunk()


def put(client: SwiftClient, key: str, content: bytes, mark: str = "") -> None:
    """Makes or replaces an object in one request; with a mark it must be new. Raises ``PathBusy``."""
    fields = {"Etag": digest(content)}
    if mark:
        fields |= {MARK_FIELD: mark, "If-None-Match": "*"}
    client.make(key, data=content, headers=fields)
