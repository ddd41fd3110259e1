"""One multipart upload (https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html)."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from udist_plugin.drivers.objects.store import MARK, UNCERTAIN
from udist_plugin.drivers.s3.body import Body
from udist_plugin.drivers.s3.client import NAME, error_code, errors
from udist_plugin.drivers.s3.retries import repeated
from udist_plugin.errors import PathBusy, PathNotFound, StorageError, StorageUnavailable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from udist_plugin.drivers.objects.store import StoredObject

PARTS_MAX: Final = 10_000

_SHORTER: Final = {"InvalidArgument", "InvalidRange"}
"""What services say that look at a copy's range before its condition."""


class MultipartUpload:
    """Parts, numbered from 1, which many threads may send or copy in any order."""

    def __init__(
        self,
        client: S3Client,
        sender: S3Client,
        bucket: str,
        key: str,
        attributes: dict[str, Any],
        mark: str = "",
    ) -> None:
        """Starts it; ``sender`` sends its parts. The object will have ``mark``, or one by which this upload
        alone knows it."""
        self._mark = mark or os.urandom(16).hex()
        self._client = client
        self._sender = sender
        self._key = key
        self._object: dict[str, Any] = {"Bucket": bucket, "Key": key}
        self._tags: dict[int, str] = {}
        with errors(key):
            started = client.create_multipart_upload(
                **self._object, **attributes, Metadata={MARK: self._mark}
            )
            self._upload: dict[str, Any] = {**self._object, "UploadId": started["UploadId"]}

    def send(self, number: int, content: bytes | memoryview) -> None:
        if number > PARTS_MAX:
            problem = f"more than {PARTS_MAX} parts: raise storage.s3.chunksize"
            raise StorageError(problem, driver=NAME, path=self._key)
        body: Any = Body(content)
        with errors(self._key):
            self._tags[number] = self._sender.upload_part(**self._upload, PartNumber=number, Body=body)[
                "ETag"
            ]

    def copy(self, number: int, source: StoredObject, start: int, end: int) -> None:
        """Raises ``PathNotFound`` when the source is not there, or not of its version."""
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
        self._tags[number] = answer["CopyPartResult"]["ETag"]

    def complete(self, **condition: Any) -> None:
        """Raises ``PathBusy`` when a condition is not met."""
        parts: Any = [{"PartNumber": number, "ETag": tag} for number, tag in sorted(self._tags.items())]
        try:
            with errors(self._key):
                answer = self._client.complete_multipart_upload(
                    **self._upload, MultipartUpload={"Parts": parts}, **condition
                )
        except (PathBusy, PathNotFound) as error:
            # botocore asks again where the answer was lost, and is told that it is too late.
            if not (self._ended() and self._stands()):
                if isinstance(error, PathBusy):
                    raise
                raise StorageError("the upload was aborted", driver=NAME, path=self._key) from error
        else:
            if repeated(answer) and not self._stands():
                raise StorageUnavailable(UNCERTAIN, driver=NAME, path=self._key)

    def abort(self) -> None:
        """Drops the parts; what fails here, purging tries again."""
        with suppress(StorageError), errors(self._key):
            self._client.abort_multipart_upload(**self._upload)

    def _ended(self) -> bool:
        try:
            with errors(self._key):
                self._client.list_parts(**self._upload, MaxParts=1)
        except PathNotFound:
            return True
        return False

    def _stands(self) -> bool:
        """Whether the object is what became of these parts."""
        with suppress(PathNotFound), errors(self._key):
            return self._client.head_object(**self._object)["Metadata"].get(MARK) == self._mark
        return False
