"""Objects deleted one by one, or many by one request, which a service may do in part.

To delete twice is to delete once. So where botocore repeated a request, all of it is asked for again, until
an answer is that to a first attempt.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from udist_plugin.drivers.objects.pauses import PATIENCE, until
from udist_plugin.drivers.objects.store import UNDELETED
from udist_plugin.drivers.s3.client import NAME, errors
from udist_plugin.drivers.s3.permissions import DENIED, lacking
from udist_plugin.drivers.s3.retries import repeated
from udist_plugin.errors import StorageError, StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ErrorTypeDef

DELETED_MAX: Final = 1000
"""Keys of one request (DeleteObjects)."""

_PASSING: Final = {"InternalError", "ServiceUnavailable", "SlowDown", "503", "500"}


def delete_one(client: S3Client, bucket: str, key: str, **condition: Any) -> None:
    """Raises ``PathBusy`` or ``PathNotFound`` when a condition is not met, and ``StorageUnavailable``."""

    def done() -> bool:
        return not repeated(client.delete_object(Bucket=bucket, Key=key, **condition))

    with errors(key):
        if not until(done, PATIENCE):
            raise _unfinished([key])


def delete_many(client: S3Client, bucket: str, keys: Sequence[str]) -> None:
    """Raises ``StorageUnavailable`` when some are not deleted for now, ``StorageError`` for any other."""
    for first in range(0, len(keys), DELETED_MAX):
        left = keys[first : first + DELETED_MAX]

        def done() -> bool:
            nonlocal left
            left = _left(client, bucket, left)
            return not left

        if not until(done, PATIENCE):
            raise _unfinished(left)


def _left(client: S3Client, bucket: str, keys: Sequence[str]) -> Sequence[str]:
    """Those to ask for again after one request: what failed in passing is a success to botocore."""
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
    return keys if repeated(answer) else again


def _unfinished(left: Sequence[str]) -> StorageUnavailable:
    return StorageUnavailable(f"{len(left)} keys {UNDELETED}", driver=NAME, path=left[0])


def _problem(failed: ErrorTypeDef, bucket: str) -> str:
    code = failed.get("Code", "")
    cure = f"; {lacking('DeleteObjects', bucket)}" if code in DENIED else ""
    return f"not deleted: {failed.get('Message')} ({code}){cure}"
