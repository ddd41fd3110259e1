"""The objects of an S3 bucket; a version is an ETag."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from udist_plugin.drivers.objects.body import Body
from udist_plugin.drivers.objects.listing import Page
from udist_plugin.drivers.objects.parts import PartBuffers, PartsWriter
from udist_plugin.drivers.objects.parts_store import Copying, PartsStore
from udist_plugin.drivers.objects.store import MARK, StoredObject, confirm
from udist_plugin.drivers.s3.answer import Answer
from udist_plugin.drivers.s3.client import NAME, error_code, errors
from udist_plugin.drivers.s3.connection import connect, is_plain
from udist_plugin.drivers.s3.deletion import delete_many, delete_one
from udist_plugin.drivers.s3.expect import SMALL
from udist_plugin.drivers.s3.multipart import MultipartUpload
from udist_plugin.drivers.s3.probe import probe
from udist_plugin.drivers.s3.refusals import Proven
from udist_plugin.drivers.s3.retries import repeated
from udist_plugin.drivers.s3.session import open_session
from udist_plugin.drivers.s3.transfers import S3Content
from udist_plugin.errors import PathBusy, PathNotFound, StorageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mypy_boto3_s3.type_defs import ObjectTypeDef

    from udist_plugin.content import Content
    from udist_plugin.drivers.objects.listing import Wanted
    from udist_plugin.drivers.objects.store import ObjectWriter
    from udist_plugin.drivers.s3.settings import Settings

SIGNED_FOR: Final = 20 * 60
"""Seconds for which a signed URL serves, as in distribution."""

_UNCONDITIONAL: Final = {"501", "NotImplemented"}
"""What services say that know no If-None-Match, or no If-Match."""


class S3Store(PartsStore[MultipartUpload]):
    """See ``ObjectStore``."""

    name = NAME

    def __init__(self, settings: Settings) -> None:
        """Raises ``ConfigurationError``."""
        self._session = open_session(settings)
        self._proven = Proven()
        self.client = connect(self._session, settings, proven=self._proven)
        # Parts are of blobs, which all who read them check by their digests: without TLS a signature of each
        # part would hash every byte twice more, here and there.
        self._sender = self.client
        if is_plain(settings):
            self._sender = connect(self._session, settings, proven=self._proven, signed=False)
        self.bucket = settings.bucket
        self._settings = settings
        self._buffers = PartBuffers(settings.part_size)
        self._attributes = _attributes(settings)
        self.copying = Copying(settings.copy_size, settings.copy_threshold, settings.copies)
        self._signer = self.client
        if settings.redirect:  # the signature covers the host
            style = "path" if settings.addressing == "path" else "virtual"
            redirected = settings._replace(endpoint=settings.redirect, addressing=style)
            self._signer = connect(self._session, redirected)

    def head(self, key: str) -> StoredObject:
        with errors(key):
            found = self.client.head_object(Bucket=self.bucket, Key=key)
            modified = float(int(found["LastModified"].timestamp()))  # some list parts of seconds, too
            mark = found["Metadata"].get(MARK, "")
            return StoredObject(key, found["ContentLength"], modified, found["ETag"], mark)

    def _open(self, key: str, start: int, end: int | None, version: str = "") -> Content:
        last = "" if end is None else end - 1

        def ask(offset: int, version: str) -> Any:
            wanted: dict[str, Any] = {"IfMatch": version} if version else {}
            if offset or end is not None:
                wanted["Range"] = f"bytes={offset}-{last}"
            with errors(key, unmet=PathNotFound):
                return self.client.get_object(Bucket=self.bucket, Key=key, **wanted)

        def answer(said: Any) -> Answer:
            return Answer(said["Body"], self.client.meta.config.read_timeout)  # type: ignore[attr-defined]

        said = ask(start, version)
        size: int = said["ContentLength"]
        plain = is_plain(self._settings)
        return S3Content(
            key, start, size, answer(said), lambda offset: answer(ask(offset, said["ETag"])), plain=plain
        )

    def _is_beyond(self, error: StorageError) -> bool:
        return error_code(error.__cause__) in ("InvalidRange", "416")

    def put(self, key: str, content: bytes) -> None:
        self._put(key, content)

    def _put(self, key: str, content: bytes, **condition: Any) -> None:
        body: Any = Body(content) if len(content) > SMALL else content
        with errors(key):
            answer = self.client.put_object(
                Bucket=self.bucket, Key=key, Body=body, **self._attributes, **condition
            )
        self._look(key, answer, answer)

    def _look(self, key: str, answer: Any, made: Mapping[str, Any]) -> None:
        """Looks for the object that a repeated request has made, or only says so; ``made`` has its ETag."""
        if repeated(answer):
            confirm(self.head, key, made.get("ETag", ""), NAME)

    def writer(self, key: str, *, mark: str = "") -> ObjectWriter:
        def put(content: bytes) -> None:
            marked: dict[str, Any] = {"Metadata": {MARK: mark}} if mark else {}
            self._new_or_not(key, mark, lambda **condition: self._put(key, content, **marked, **condition))

        def complete(upload: MultipartUpload) -> None:
            self._new_or_not(key, mark, upload.complete)

        return PartsWriter(self._buffers, put=put, start=lambda: self._upload(key, mark), complete=complete)

    def _upload(self, key: str, mark: str = "") -> MultipartUpload:
        return MultipartUpload(self.client, self._sender, self.bucket, key, self._attributes, self.head, mark)

    def _new_or_not(self, key: str, new: object, make: Callable[..., None]) -> None:
        """``make``, under the condition that no object stands there when it has to be new."""
        if not new:
            make()
            return
        try:
            make(IfNoneMatch="*")
        except StorageError as error:
            if error_code(error.__cause__) not in _UNCONDITIONAL:
                raise
            if self._stands(key):
                raise PathBusy("already exists", driver=NAME, path=key) from error
            make()

    def _stands(self, key: str) -> bool:
        try:
            self.head(key)
        except PathNotFound:
            return False
        return True

    def _copy(self, source: StoredObject, key: str) -> None:
        with errors(source.key, unmet=PathNotFound):
            answer = self.client.copy_object(
                Bucket=self.bucket,
                Key=key,
                CopySource={"Bucket": self.bucket, "Key": source.key},
                CopySourceIfMatch=source.version,
                **self._attributes,
            )
        self._look(key, answer, answer.get("CopyObjectResult", {}))

    def _page(self, wanted: Wanted) -> Page:
        asked: dict[str, Any] = {"Bucket": self.bucket, "Prefix": wanted.prefix}
        if wanted.after:
            asked["StartAfter"] = wanted.after
        if wanted.token:
            asked["ContinuationToken"] = wanted.token
        if wanted.grouped:
            asked["Delimiter"] = "/"
        if wanted.single:
            asked["MaxKeys"] = 1
        with errors(wanted.prefix):
            page = self.client.list_objects_v2(**asked)
            found = [_stored(each) for each in page.get("Contents", ())]
            prefixes = [each["Prefix"] for each in page.get("CommonPrefixes", ())]
            return Page(found, prefixes, page["IsTruncated"], page.get("NextContinuationToken", ""))

    def delete(self, keys: Sequence[str]) -> None:
        if len(keys) == 1:
            delete_one(self.client, self.bucket, keys[0])
        else:
            delete_many(self.client, self.bucket, keys)

    def delete_version(self, found: StoredObject) -> bool:
        """Amazon S3 compares and deletes at once; versitygw looks first. MinIO's community edition does
        neither: what replaces an object there just before its deletion is lost."""
        try:
            delete_one(self.client, self.bucket, found.key, IfMatch=found.version)
        except PathBusy:
            return False
        except PathNotFound:
            pass
        except StorageError as error:
            if error_code(error.__cause__) not in _UNCONDITIONAL:
                raise
            self.delete([found.key])
        return True

    def url_for(self, key: str) -> str | None:
        with errors(key):
            return self._signer.generate_presigned_url(
                "get_object", Params={"Bucket": self.bucket, "Key": key}, ExpiresIn=SIGNED_FOR
            )

    def purge(self, prefix: str, age: float) -> None:
        """MinIO lists uploads of one key, or all; so where a service that is not Amazon's tells of none they
        are looked for among all."""
        before = time.time() - age
        for asked in dict.fromkeys((prefix, "") if self._settings.endpoint else (prefix,)):
            found = False
            with errors(prefix):
                pages = self.client.get_paginator("list_multipart_uploads")
                for page in pages.paginate(Bucket=self.bucket, Prefix=asked):
                    for upload in page.get("Uploads", ()):
                        found = True
                        if upload["Key"].startswith(prefix) and upload["Initiated"].timestamp() < before:
                            self._abort(upload["Key"], upload["UploadId"])
            if found:
                return

    def _abort(self, key: str, upload: str) -> None:
        try:
            with errors(key):
                self.client.abort_multipart_upload(Bucket=self.bucket, Key=key, UploadId=upload)
        except PathNotFound:  # ended meanwhile
            pass

    def probe(self) -> None:
        probe(self._session, self._settings, self._proven)


def _stored(found: ObjectTypeDef) -> StoredObject:
    """What a list says of an object."""
    modified = float(int(found["LastModified"].timestamp()))
    version = found["ETag"]  # the MD5 of what was sent in one request, unless KMS encrypts it
    return StoredObject(found["Key"], found["Size"], modified, version, md5=version.strip('"'))


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
