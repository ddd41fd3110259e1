"""``Expect: 100-continue``: whether the service is asked before it is sent a request's content.

botocore asks for every file, whatever its size. The answer takes a round trip and is read byte by byte, which
is more than a link or a manifest is worth.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SMALL: Final = 256 << 10
"""Bytes that are sent without asking."""


def ask_for_large_content(client: S3Client) -> None:
    """Has requests of ``client`` ask only when they carry more than ``SMALL`` bytes."""
    for operation in ("PutObject", "UploadPart"):
        client.meta.events.register(f"before-send.s3.{operation}", _decide)


def _decide(request: Any, **_: object) -> None:
    if int(request.headers.get("Content-Length", SMALL + 1)) <= SMALL:
        request.headers.pop("Expect", None)
