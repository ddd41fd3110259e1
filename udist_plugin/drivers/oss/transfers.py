"""An object of OSS on its way out, or in by parts."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from udist_plugin.drivers.objects.body import Body
from udist_plugin.drivers.objects.content import Bytes, ResumedContent
from udist_plugin.drivers.objects.parts import PartsUpload
from udist_plugin.drivers.objects.store import MARK
from udist_plugin.drivers.oss.client import FAILURES, NAME
from udist_plugin.drivers.oss.library import (
    AbortMultipartUploadRequest,
    CompleteMultipartUpload,
    CompleteMultipartUploadRequest,
    InitiateMultipartUploadRequest,
    ListPartsRequest,
    UploadPart,
    UploadPartCopyRequest,
    UploadPartRequest,
)
from udist_plugin.errors import PathNotFound, StorageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from udist_plugin.drivers.objects.store import StoredObject
    from udist_plugin.drivers.oss.client import OssClient

PIECE = 64 << 10
"""Bytes taken off a connection at a time."""


class Answer(Bytes):
    """The pieces of an answer, cut to the size that is asked for."""

    def __init__(self, body: Any) -> None:
        """``body`` is the library's."""
        self._body = body
        self._pieces = body.iter_bytes(block_size=PIECE)
        self._left = b""

    def read(self, size: int) -> bytes:
        data = self._left or next(self._pieces, b"")
        data, self._left = data[:size], data[size:]
        return data

    def close(self) -> None:
        """What is left is not read: a connection seen to its end serves another request by itself."""
        self._body.close()


class OssContent(ResumedContent[Answer]):
    """See ``ResumedContent``."""

    name = NAME
    failures = FAILURES


class OssUpload(PartsUpload):
    """See ``PartsUpload``."""

    def __init__(
        self,
        client: OssClient,
        key: str,
        attributes: Mapping[str, Any],
        head: Callable[[str], StoredObject],
        mark: str = "",
    ) -> None:
        """Starts it; ``head`` is the store's."""
        super().__init__(NAME, key, mark)
        self._client = client
        self._head = head
        started, _ = client.ask(
            "initiate_multipart_upload",
            InitiateMultipartUploadRequest,
            key=key,
            metadata={MARK: self.mark},
            **attributes,
        )
        self._upload = {"key": key, "upload_id": started.upload_id}

    def _send(self, number: int, content: bytes | memoryview) -> str:
        body = Body(content)
        sent, _ = self._client.ask(
            "upload_part", UploadPartRequest, **self._upload, part_number=number, body=body
        )
        return str(sent.etag)

    def _copy(self, number: int, source: StoredObject, start: int, end: int) -> str:
        copied, _ = self._client.ask(
            "upload_part_copy",
            UploadPartCopyRequest,
            **self._upload,
            part_number=number,
            source_key=source.key,
            source_range=f"bytes={start}-{end - 1}",
            if_match=source.version,
            unmet=PathNotFound,
        )
        return str(copied.etag)

    def _complete(self, tags: list[tuple[int, str]], **condition: Any) -> bool:
        parts = CompleteMultipartUpload(parts=[UploadPart(part_number=n, etag=tag) for n, tag in tags])
        _, repeated = self._client.ask(
            "complete_multipart_upload",
            CompleteMultipartUploadRequest,
            **self._upload,
            complete_multipart_upload=parts,
            **condition,
        )
        return repeated

    def abort(self) -> None:
        with suppress(StorageError):
            self._client.ask("abort_multipart_upload", AbortMultipartUploadRequest, **self._upload)

    def _ended(self) -> bool:
        try:
            self._client.ask("list_parts", ListPartsRequest, **self._upload, max_parts=1)
        except PathNotFound:
            return True
        return False

    def _found(self) -> StoredObject:
        return self._head(self._key)
