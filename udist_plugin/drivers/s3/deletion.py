"""Many objects deleted by one request, which a service may do in part."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from udist_plugin.drivers.s3.client import NAME, errors
from udist_plugin.drivers.s3.permissions import DENIED, lacking
from udist_plugin.errors import StorageError, StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ErrorTypeDef

DELETED_MAX: Final = 1000
"""Keys of one request (DeleteObjects)."""
WAITS: Final = (0.5, 1.0, 2.0, 4.0)
"""Seconds before those are asked for again that failed in passing: to botocore the request went well."""

_PASSING: Final = {"InternalError", "ServiceUnavailable", "SlowDown", "503", "500"}


def delete_many(client: S3Client, bucket: str, keys: Sequence[str]) -> None:
    """Raises ``StorageUnavailable`` when some are not deleted for now, ``StorageError`` for any other."""
    for first in range(0, len(keys), DELETED_MAX):
        left = keys[first : first + DELETED_MAX]
        for wait in WAITS:
            if not (left := _delete(client, bucket, left)):
                break
            time.sleep(wait)
        if left and (left := _delete(client, bucket, left)):
            raise StorageUnavailable(f"{len(left)} keys are not deleted: busy", driver=NAME, path=left[0])


def _delete(client: S3Client, bucket: str, keys: Sequence[str]) -> list[str]:
    """Those to ask for again."""
    with errors(keys[0]):
        answer = client.delete_objects(
            Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True}
        )
    again = []
    for failed in answer.get("Errors", ()):
        code, key = failed.get("Code", ""), failed.get("Key", keys[0])
        if code in _PASSING:
            again.append(key)
        elif code != "NoSuchKey":
            raise StorageError(_problem(failed, bucket), driver=NAME, path=key)
    return again


def _problem(failed: ErrorTypeDef, bucket: str) -> str:
    code = failed.get("Code", "")
    cure = f"; {lacking('DeleteObjects', bucket)}" if code in DENIED else ""
    return f"not deleted: {failed.get('Message')} ({code}){cure}"
