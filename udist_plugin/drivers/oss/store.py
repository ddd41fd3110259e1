"""The objects of a bucket of Alibaba Cloud OSS; a version is an ETag.

They are read and written by Alibaba's SDK in OSS's own protocol. OSS's S3-compatible endpoint is reported to
answer ``If-None-Match`` with 501, and its documentation names nothing else that makes an object only where
none stands; nor is it the host that ``endpoint`` names, which is the bucket's own or a custom domain. OSS's
own protocol has ``x-oss-forbid-overwrite`` for that (a bucket that keeps versions ignores it), and no
condition for deletions.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from udist_plugin.drivers.objects.limits import COPY_SIZE
from udist_plugin.drivers.objects.listing import Page
from udist_plugin.drivers.objects.parts import PartBuffers, PartsWriter
from udist_plugin.drivers.objects.parts_store import Copying, PartsStore
from udist_plugin.drivers.objects.pauses import PATIENCE, until
from udist_plugin.drivers.objects.store import MARK, UNDELETED, StoredObject, confirm
from udist_plugin.drivers.oss.client import NAME, OssClient, error_code, errors
from udist_plugin.drivers.oss.library import (
    AbortMultipartUploadRequest,
    CopyObjectRequest,
    DeleteMultipleObjectsRequest,
    DeleteObject,
    DeleteObjectRequest,
    GetObjectRequest,
    HeadObjectRequest,
    ListMultipartUploadsRequest,
    ListObjectsV2Request,
    PutObjectRequest,
)
from udist_plugin.drivers.oss.probe import probe
from udist_plugin.drivers.oss.transfers import Answer, OssContent, OssUpload
from udist_plugin.errors import PathNotFound, StorageError, StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from udist_plugin.content import Content
    from udist_plugin.drivers.objects.listing import Wanted
    from udist_plugin.drivers.objects.store import ObjectWriter
    from udist_plugin.drivers.oss.settings import Settings

SIGNED_FOR: Final = 20 * 60
"""Seconds for which a signed URL serves, as in distribution."""
COPIES: Final = 10
"""Parts copied at once, as in distribution."""
DELETED_MAX: Final = 1000
"""Keys of one request (DeleteMultipleObjects)."""
LISTED_MAX: Final = 1000
"""Keys of one page: without it OSS lists a hundred."""


class OssStore(PartsStore[OssUpload]):
    """See ``ObjectStore``."""

    name = NAME
    copying = Copying(COPY_SIZE, COPY_SIZE, COPIES)

    def __init__(self, settings: Settings) -> None:
        self._client = OssClient(settings)
        self._buffers = PartBuffers(settings.part_size)
        self._attributes: dict[str, Any] = {
            "content_type": "application/octet-stream",
            "server_side_encryption": settings.encryption,
            "server_side_encryption_key_id": settings.kms_key,
        }

    def head(self, key: str) -> StoredObject:
        found, _ = self._client.ask("head_object", HeadObjectRequest, key=key)
        with errors(key):
            mark = (found.metadata or {}).get(MARK, "")
            return StoredObject(key, found.content_length, _seconds(found.last_modified), found.etag, mark)

    def _open(self, key: str, start: int, end: int | None, version: str = "") -> Content:
        def ask(offset: int, version: str) -> Any:
            ranged = offset or end is not None
            last = "" if end is None else end - 1
            answer, _ = self._client.ask(
                "get_object",
                GetObjectRequest,
                key=key,
                if_match=version or None,
                range_header=f"bytes={offset}-{last}" if ranged else None,
                range_behavior="standard" if ranged else None,  # else what is beyond the end gets all
                unmet=PathNotFound,
            )
            if answer.status_code != (206 if ranged else 200) or answer.content_length is None:
                answer.body.close()
                problem = "the range was ignored: check any proxy on the way"
                raise StorageError(problem, driver=NAME, path=key)
            return answer

        answer = ask(start, version)

        def again(offset: int) -> Answer:
            return Answer(ask(offset, answer.etag).body)

        return OssContent(key, start, answer.content_length, Answer(answer.body), again)

    def _is_beyond(self, error: StorageError) -> bool:
        return error_code(error.__cause__) == "InvalidRange"

    def put(self, key: str, content: bytes) -> None:
        self._put(key, content)

    def _put(self, key: str, content: bytes, **more: Any) -> None:
        made, repeated = self._client.ask(
            "put_object", PutObjectRequest, key=key, body=content, **self._attributes, **more
        )
        if repeated:
            confirm(self.head, key, made.etag, NAME)

    def writer(self, key: str, *, mark: str = "") -> ObjectWriter:
        new: dict[str, Any] = {"forbid_overwrite": True} if mark else {}
        marked: dict[str, Any] = {"metadata": {MARK: mark}} if mark else {}
        return PartsWriter(
            self._buffers,
            put=lambda content: self._put(key, content, **marked, **new),
            start=lambda: self._upload(key, mark),
            complete=lambda upload: upload.complete(**new),
        )

    def _upload(self, key: str, mark: str = "") -> OssUpload:
        return OssUpload(self._client, key, self._attributes, self.head, mark)

    def _copy(self, source: StoredObject, key: str) -> None:
        made, repeated = self._client.ask(
            "copy_object",
            CopyObjectRequest,
            key=key,
            source_key=source.key,
            if_match=source.version,
            unmet=PathNotFound,
            **self._attributes,
        )
        if repeated:
            confirm(self.head, key, made.etag, NAME)

    def _page(self, wanted: Wanted) -> Page:
        page, _ = self._client.ask(
            "list_objects_v2",
            ListObjectsV2Request,
            prefix=wanted.prefix,
            start_after=wanted.after or None,
            continuation_token=wanted.token or None,
            delimiter="/" if wanted.grouped else None,
            max_keys=1 if wanted.single else LISTED_MAX,
        )
        with errors(wanted.prefix):
            found = [_stored(each) for each in page.contents or ()]
            prefixes = [each.prefix for each in page.common_prefixes or ()]
            return Page(found, prefixes, page.is_truncated, page.next_continuation_token or "")

    def delete(self, keys: Sequence[str]) -> None:
        """To delete twice is to delete once: what was repeated is asked for again."""
        for first in range(0, len(keys), DELETED_MAX):
            part = keys[first : first + DELETED_MAX]
            if not until(lambda part=part: self._delete(part), PATIENCE):  # type: ignore[misc]
                raise StorageUnavailable(f"{len(part)} keys {UNDELETED}", driver=NAME, path=part[0])

    def _delete(self, keys: Sequence[str]) -> bool:
        """Whether that was done by one request, sent once."""
        if len(keys) == 1:
            _, repeated = self._client.ask("delete_object", DeleteObjectRequest, key=keys[0])
        else:
            _, repeated = self._client.ask(
                "delete_multiple_objects",
                DeleteMultipleObjectsRequest,
                objects=[DeleteObject(key=key) for key in keys],
                quiet=True,
            )
        return not repeated

    def delete_version(self, found: StoredObject) -> bool:
        """OSS knows no condition for it: what replaces an object between look and deletion is lost."""
        try:
            if self.head(found.key).version != found.version:
                return False
        except PathNotFound:
            return True
        self.delete([found.key])
        return True

    def url_for(self, key: str) -> str | None:
        from datetime import timedelta

        with errors(key):
            request = GetObjectRequest(bucket=self._client.settings.bucket, key=key)
            url: str = self._client.library.presign(request, expires=timedelta(seconds=SIGNED_FOR)).url
            return url

    def purge(self, prefix: str, age: float) -> None:
        before = time.time() - age
        marks: dict[str, Any] = {}
        while True:
            page, _ = self._client.ask(
                "list_multipart_uploads", ListMultipartUploadsRequest, prefix=prefix, **marks
            )
            for upload in page.uploads or ():
                if _seconds(upload.initiated) < before:
                    self._abort(upload.key, upload.upload_id)
            if not page.is_truncated:
                return
            marks = {"key_marker": page.next_key_marker, "upload_id_marker": page.next_upload_id_marker}

    def _abort(self, key: str, upload: str) -> None:
        with suppress(PathNotFound):  # ended meanwhile
            self._client.ask("abort_multipart_upload", AbortMultipartUploadRequest, key=key, upload_id=upload)

    def probe(self) -> None:
        probe(self._client.settings)


def _stored(found: Any) -> StoredObject:
    """What a list says of an object."""
    return StoredObject(found.key, found.size, _seconds(found.last_modified), found.etag)


def _seconds(time: datetime) -> float:
    """Since 1970, whole: lists tell parts of a second that heads do not."""
    return float(int(time.timestamp()))
