"""What stands in a bucket: a thousand keys a request, the next when they are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from udist_plugin.drivers.objects.store import StoredObject
from udist_plugin.drivers.s3.client import errors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ListObjectsV2OutputTypeDef


_BEHIND: Final = "\U0010ffff"
"""Comes after all that a key may go on with."""


def objects(client: S3Client, bucket: str, prefix: str, after: str) -> Iterator[StoredObject]:
    """See ``ObjectStore.objects``."""
    begin: Any = {"StartAfter": after} if after else {}
    with errors(prefix):
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, **begin):
            for found in page.get("Contents", ()):
                modified = float(int(found["LastModified"].timestamp()))
                yield StoredObject(found["Key"], found["Size"], modified, found["ETag"])


def names(client: S3Client, bucket: str, prefix: str, after: str, *, folders: bool) -> Iterator[str]:
    """See ``ObjectStore.names``.

    S3 lists by keys: ``a-b/`` before ``a/``. Only the beginnings of a page's last name may come in a later
    page and belong before it, so those are looked up.
    """
    seen: set[str] = set()  # a name may be an object's, and a prefix of others
    sought: set[str] = set()
    for page in _pages_of_names(client, bucket, prefix, f"{prefix}{after}" if after else ""):
        keys = _keys(page)
        found = {key[len(prefix) :].rstrip("/") for key in keys if key.endswith("/") or not folders}
        if page["IsTruncated"] and keys:
            for name in _beginnings(max(keys)[len(prefix) :].rstrip("/")) - found - sought:
                sought.add(name)
                with errors(prefix):
                    below = client.list_objects_v2(Bucket=bucket, Prefix=f"{prefix}{name}/", MaxKeys=1)
                if below.get("Contents"):
                    found.add(name)
        yield from sorted(name for name in found - seen if name > after)
        seen |= found


def _beginnings(name: str) -> set[str]:
    """Those that come before ``name`` itself, though with a slash they come after it."""
    return {name[:end] for end, character in enumerate(name) if end and character < "/"}


def _keys(page: ListObjectsV2OutputTypeDef) -> list[str]:
    """What a page of names lists: an object's key, or the prefix of several, which ends with a slash."""
    keys = [each["Key"] for each in page.get("Contents", ())]
    return keys + [each["Prefix"] for each in page.get("CommonPrefixes", ())]


def _pages_of_names(
    client: S3Client, bucket: str, prefix: str, after: str
) -> Iterator[ListObjectsV2OutputTypeDef]:
    """A page begins behind the last prefix: MinIO may take a quarter of a second over its own token."""
    begin: Any = {"StartAfter": after} if after else {}
    last = ""
    while True:
        with errors(prefix):
            page = client.list_objects_v2(Bucket=bucket, Prefix=prefix, Delimiter="/", **begin)
        yield page
        if not page["IsTruncated"]:
            return
        before, last = last, max(_keys(page), default="")
        if last.endswith("/") and last > before:
            begin = {"StartAfter": last + _BEHIND}
        else:
            begin = {"ContinuationToken": page["NextContinuationToken"]}
