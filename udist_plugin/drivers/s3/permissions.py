"""What a denied request lacked: S3 itself says no more than that it was denied."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

NEEDED: Final = (
    "s3:ListBucket and s3:ListBucketMultipartUploads on the bucket, and s3:GetObject, s3:PutObject, "
    "s3:DeleteObject, s3:AbortMultipartUpload and s3:ListMultipartUploadParts on what is in it"
)
DENIED: Final = {"403", "AccessDenied"}

_READS: Final = "s3:GetObject on what is in it, and s3:ListBucket on it"
_WRITES: Final = "s3:PutObject on what is in it"
_BY_OPERATION: Final = {
    "AbortMultipartUpload": "s3:AbortMultipartUpload on what is in it",
    "CompleteMultipartUpload": _WRITES,
    "CopyObject": f"s3:GetObject and {_WRITES}",
    "CreateMultipartUpload": _WRITES,
    "DeleteObject": "s3:DeleteObject on what is in it",
    "DeleteObjects": "s3:DeleteObject on what is in it",
    "GetObject": _READS,
    "HeadObject": _READS,
    "ListMultipartUploads": "s3:ListBucketMultipartUploads",
    "ListObjectsV2": "s3:ListBucket",
    "ListParts": "s3:ListMultipartUploadParts on what is in it",
    "PutObject": _WRITES,
    "UploadPart": _WRITES,
    "UploadPartCopy": f"s3:GetObject and {_WRITES}",
}


def right(operation: str) -> str:
    """What an operation on the bucket or its objects needs."""
    return _BY_OPERATION.get(operation, NEEDED)


def lacking(operation: str, bucket: str) -> str:
    """What to do about a denial of an operation on the bucket or its objects."""
    return f"grant these credentials, for the bucket {bucket}, {right(operation)}"


def name_permissions(client: S3Client, bucket: str) -> None:
    """Adds to the message of every denial that the client is told of what to do about it."""
    client.meta.events.register("after-call.s3", partial(_name, bucket))


def _name(bucket: str, parsed: dict[str, Any], model: Any, **_: object) -> None:
    said = parsed.get("Error", {})
    if said.get("Code") in DENIED:
        told = str(said.get("Message") or "denied").rstrip(".")
        said["Message"] = f"{told}; {lacking(model.name, bucket)}"
