"""The objects of an S3 bucket; a version is an ETag."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from udist_plugin.errors import InvalidOffset, PathNotFound, StorageError
from udist_plugin.storage.drivers.inmemory import MemoryContent
from udist_plugin.storage.drivers.object_store import ObjectStore, StoredObject
from udist_plugin.storage.drivers.s3_client import NAME, connect, error_code, errors, signed_url
from udist_plugin.storage.drivers.s3_join import Join
from udist_plugin.storage.drivers.s3_probe import probe
from udist_plugin.storage.drivers.s3_transfers import S3Content, S3Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from udist_plugin.content import Content
    from udist_plugin.storage.drivers.object_store import ObjectWriter
    from udist_plugin.storage.drivers.s3 import Settings

DELETED_MAX: Final = 1000
"""Keys of one request (DeleteObjects)."""
UNCONDITIONAL: Final = {"NotImplemented", "501", "InvalidArgument", "InvalidRequest"}
"""What stores say that know no If-None-Match."""


class S3Store(ObjectStore):
    """See ``ObjectStore``."""

    name = NAME

    def __init__(self, settings: Settings) -> None:
        """Raises ``ConfigurationError``."""
        self.settings = settings
        self.client = connect(settings)
        self.bucket = settings.bucket
        self.attributes = _attributes(settings)

    def head(self, key: str) -> StoredObject:
        with errors(key):
            found = self.client.head_object(Bucket=self.bucket, Key=key)
        return _stored(key, found["ContentLength"], found["LastModified"], found["ETag"])

    def get(self, key: str, start: int = 0, end: int | None = None) -> Content:
        if start >= 0 and (end is None or end > start):  # else no range can say it
            try:
                return S3Content(self, key, start, end)
            except StorageError as error:
                if error_code(error) not in ("InvalidRange", "416"):
                    raise
        size = self.head(key).size
        if not 0 <= start <= size:
            raise InvalidOffset(f"offset {start} of {size} bytes", driver=NAME, path=key)
        return MemoryContent(memoryview(b""))

    def put(self, key: str, content: bytes) -> None:
        with errors(key):
            self.client.put_object(Bucket=self.bucket, Key=key, Body=content, **self.attributes)

    def put_new(self, key: str, content: bytes) -> None:
        """As ``put``; raises ``PathBusy`` when one stands there."""
        self._new(
            key,
            lambda condition: self.client.put_object(
                Bucket=self.bucket, Key=key, Body=content, **self.attributes, **condition
            ),
        )

    def writer(self, key: str, *, new: bool = False) -> ObjectWriter:
        return S3Writer(self, key, new=new)

    def join(self, sources: Sequence[StoredObject], key: str) -> None:
        Join(self, sources, key).run()

    def start(self, key: str) -> str:
        """The id of a new multipart upload."""
        with errors(key):
            started = self.client.create_multipart_upload(Bucket=self.bucket, Key=key, **self.attributes)
        return started["UploadId"]

    def send(self, key: str, upload: str, number: int, data: Any) -> str:
        """Sends a part and returns its ETag."""
        with errors(key):
            sent = self.client.upload_part(
                Bucket=self.bucket, Key=key, UploadId=upload, PartNumber=number, Body=data
            )
        return sent["ETag"]

    def complete(self, key: str, upload: str, tags: Sequence[str], *, new: bool = False) -> None:
        """Makes the parts, by their ETags, the object. Raises ``PathBusy`` when it had to be ``new``."""
        parts: Any = {"Parts": [{"PartNumber": n, "ETag": tag} for n, tag in enumerate(tags, 1)]}

        def complete(condition: Any) -> None:
            self.client.complete_multipart_upload(
                Bucket=self.bucket, Key=key, UploadId=upload, MultipartUpload=parts, **condition
            )

        if new:
            self._new(key, complete)
            return
        with errors(key):
            complete({})

    def abort(self, key: str, upload: str) -> None:
        """Drops an upload's parts; purging tries again what fails here."""
        with suppress(StorageError), errors(key):
            self.client.abort_multipart_upload(Bucket=self.bucket, Key=key, UploadId=upload)

    def _new(self, key: str, make: Callable[[Any], object]) -> None:
        try:
            with errors(key):
                make({"IfNoneMatch": "*"})
        except StorageError as error:
            if error_code(error) not in UNCONDITIONAL:
                raise
            with errors(key):
                make({})

    def objects(self, prefix: str, *, after: str = "") -> Iterator[StoredObject]:
        with errors(prefix):
            pages = self.client.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket, Prefix=prefix, **_after(after)
            )
            for page in pages:
                for found in page.get("Contents", ()):
                    yield _stored(found["Key"], found["Size"], found["LastModified"], found["ETag"])

    def names(self, prefix: str, *, after: str = "") -> Iterator[str]:
        seen = ""  # a name may be an object's, and a prefix of others
        start = f"{prefix}{after}" if after else ""
        with errors(prefix):
            pages = self.client.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket, Prefix=prefix, Delimiter="/", **_after(start)
            )
            for page in pages:
                found = [each["Prefix"] for each in page.get("CommonPrefixes", ())]
                found += [each["Key"] for each in page.get("Contents", ())]
                for name in sorted({each[len(prefix) :].rstrip("/") for each in found}):
                    if name > after and name != seen:
                        seen = name
                        yield name

    def delete(self, keys: Sequence[str]) -> None:
        if len(keys) == 1:
            with errors(keys[0]):
                self.client.delete_object(Bucket=self.bucket, Key=keys[0])
            return
        for first in range(0, len(keys), DELETED_MAX):
            part = keys[first : first + DELETED_MAX]
            with errors(part[0]):
                answer = self.client.delete_objects(
                    Bucket=self.bucket, Delete={"Objects": [{"Key": key} for key in part], "Quiet": True}
                )
            for failed in answer.get("Errors", ()):
                if failed.get("Code") != "NoSuchKey":
                    message = f"not deleted: {failed.get('Code')}: {failed.get('Message')}"
                    raise StorageError(message, driver=NAME, path=failed.get("Key", part[0]))

    def url_for(self, key: str) -> str | None:
        return signed_url(self.client, self.settings, key)

    def purge(self, prefix: str, age: float) -> None:
        before = time.time() - age
        with errors(prefix):
            pages = self.client.get_paginator("list_multipart_uploads").paginate(
                Bucket=self.bucket, Prefix=prefix
            )
            for page in pages:
                for found in page.get("Uploads", ()):
                    if found["Initiated"].timestamp() < before:
                        self.abort(found["Key"], found["UploadId"])

    def probe(self) -> None:
        probe(self.settings)

    def unchanged(self, source: StoredObject) -> None:
        """Raises ``PathNotFound`` when the object is gone or another."""
        if self.head(source.key).version != source.version:
            raise PathNotFound("changed by another meanwhile", driver=NAME, path=source.key)


def _stored(key: str, size: int, modified: datetime, version: str) -> StoredObject:
    """In whole seconds: a head tells no more, a listing does on some services."""
    return StoredObject(key, size, float(int(modified.timestamp())), version)


def _after(key: str) -> dict[str, Any]:
    return {"StartAfter": key} if key else {}


def _attributes(settings: Settings) -> dict[str, Any]:
    """What is said of each object that is made."""
    found: dict[str, Any] = {"ContentType": "application/octet-stream"}
    if settings.encrypt:
        found["ServerSideEncryption"] = "aws:kms" if settings.kms_key else "AES256"
    if settings.kms_key:
        found["SSEKMSKeyId"] = settings.kms_key
    if settings.storage_class:
        found["StorageClass"] = settings.storage_class
    if settings.acl:
        found["ACL"] = settings.acl
    return found
