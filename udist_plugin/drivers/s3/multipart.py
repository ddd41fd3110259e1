"""One multipart upload (https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html)."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from udist_plugin.drivers.objects.body import Body
from udist_plugin.drivers.objects.parts import PartsUpload
from udist_plugin.drivers.objects.store import MARK
from udist_plugin.drivers.s3.client import NAME, error_code, errors
from udist_plugin.drivers.s3.retries import repeated
from udist_plugin.errors import PathNotFound, StorageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_s3 import S3Client

    from udist_plugin.drivers.objects.store import StoredObject

_SHORTER: Final = {"InvalidArgument", "InvalidRange"}
"""What services say that look at a copy's range before its condition."""


class MultipartUpload(PartsUpload):
    """See ``PartsUpload``."""

    def __init__(
        self,
        client: S3Client,
        sender: S3Client,
        bucket: str,
        key: str,
        attributes: dict[str, Any],
        head: Callable[[str], StoredObject],
        mark: str = "",
    ) -> None:
        """Starts it; ``sender`` sends its parts, ``head`` is the store's."""
        super().__init__(NAME, key, mark)
        self._client = client
        self._sender = sender
        self._head = head
        self._object: dict[str, Any] = {"Bucket": bucket, "Key": key}
        with errors(key):
            started = client.create_multipart_upload(**self._object, **attributes, Metadata={MARK: self.mark})
            self._upload: dict[str, Any] = {**self._object, "UploadId": started["UploadId"]}

    def _send(self, number: int, content: bytes | memoryview) -> str:
        body: Any = Body(content)
        with errors(self._key):
            return self._sender.upload_part(**self._upload, PartNumber=number, Body=body)["ETag"]

    def _copy(self, number: int, source: StoredObject, start: int, end: int) -> str:
        try:
            with errors(source.key, unmet=PathNotFound):
                answer = self._client.upload_part_copy(
                    **self._upload,
                    PartNumber=number,
                    CopySource={"Bucket": self._object["Bucket"], "Key": source.key},
                    CopySourceIfMatch=source.version,
                    CopySourceRange=f"bytes={start}-{end - 1}",
                )
        except StorageError as error:
            if error_code(error.__cause__) in _SHORTER:
                raise PathNotFound(
                    "became shorter while it was copied", driver=NAME, path=source.key
                ) from error
            raise
        return answer["CopyPartResult"]["ETag"]

    def _complete(self, tags: list[tuple[int, str]], **condition: Any) -> bool:
        parts: Any = [{"PartNumber": number, "ETag": tag} for number, tag in tags]
        with errors(self._key):
            answer = self._client.complete_multipart_upload(
                **self._upload, MultipartUpload={"Parts": parts}, **condition
            )
        return repeated(answer)

    def abort(self) -> None:
        with suppress(StorageError), errors(self._key):
            self._client.abort_multipart_upload(**self._upload)

    def _ended(self) -> bool:
        try:
            with errors(self._key):
                self._client.list_parts(**self._upload, MaxParts=1)
        except PathNotFound:
            return True
        return False

    def _found(self) -> StoredObject:
        return self._head(self._key)
