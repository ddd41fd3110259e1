"""``Content-MD5``, without which some services take no object.

Amazon asks for one of its checksums where a bucket locks its objects, and services older than the newer
checksums for this one with each ``DeleteObjects``. Over every byte of a blob it would cost what a push has:
so of what is large it is sent once the service has asked.
"""

from __future__ import annotations

import os
from base64 import b64encode
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

FREE: Final = 256 << 10
"""Bytes whose digest costs little beside the request: links and manifests are no more."""
PIECE: Final = 256 << 10
"""Bytes read at once."""

_HEADER: Final = "Content-MD5"
_ASKING: Final = {"InvalidRequest", "MissingContentMD5"}


class Digests:
    """What is sent with the requests of one client."""

    def __init__(self, client: S3Client) -> None:
        self._always = False
        events = client.meta.events
        events.register("before-call.s3.DeleteObjects", self._replace_checksum)
        for operation in ("PutObject", "UploadPart"):
            events.register(f"before-call.s3.{operation}", self._add)
            again: Any = self._add_when_asked
            events.register(f"needs-retry.s3.{operation}", again)

    def _replace_checksum(self, params: dict[str, Any], **_: object) -> None:
        """In place of the newer one that botocore sends with it: one is enough, and some know no other."""
        params["context"].pop("checksum", None)
        _digest(params)

    def _add(self, params: dict[str, Any], **_: object) -> None:
        body = params["body"]
        if self._always or body.seek(0, os.SEEK_END) <= FREE:
            _digest(params)
        body.seek(0)

    def _add_when_asked(self, request_dict: dict[str, Any], response: Any, **_: object) -> int | None:
        """Seconds until the request is sent again, or ``None``."""
        said = response[1].get("Error", {}) if response else {}
        if said.get("Code") not in _ASKING or "md5" not in f"{said['Code']} {said.get('Message')}".lower():
            return None
        if _HEADER in request_dict["headers"]:
            return None
        self._always = True
        _digest(request_dict)
        return 0


def _digest(request: dict[str, Any]) -> None:
    from hashlib import md5

    body = request["body"]
    digest = md5(usedforsecurity=False)
    if isinstance(body, bytes):
        digest.update(body)
    else:
        body.seek(0)  # it may have been sent
        while piece := body.read(PIECE):
            digest.update(piece)
        body.seek(0)
    request["headers"][_HEADER] = b64encode(digest.digest()).decode("ascii")
