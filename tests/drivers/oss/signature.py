"""OSS's signatures of version 4, from their documentation: what a server compares a request's with."""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def signature(
    secret: str,
    scope: str,
    moment: str,
    method: str,
    resource: str,
    query: Sequence[tuple[str, str]],
    headers: Mapping[str, str],
) -> str:
    """``scope`` is ``date/region/oss/aliyun_v4_request``, ``moment`` the time as ``x-oss-date`` has it,
    ``resource`` is ``/bucket/key`` as it is, ``query`` without the signature, as it is; ``headers`` by their
    names in lower case. Other headers than those that are always signed are not."""
    signed = sorted(
        (name, value.strip())
        for name, value in headers.items()
        if name.startswith("x-oss-") or name in ("content-type", "content-md5")
    )
    pairs = sorted((quote(name, safe=""), quote(value, safe="")) for name, value in query)
    canonical = "\n".join(
        [
            method,
            quote(resource, safe="/"),
            "&".join(f"{name}={value}" if value else name for name, value in pairs),
            "".join(f"{name}:{value}\n" for name, value in signed),
            "",
            headers.get("x-oss-content-sha256", "UNSIGNED-PAYLOAD"),
        ]
    )
    digest = sha256(canonical.encode()).hexdigest()
    key = f"aliyun_v4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    text = f"OSS4-HMAC-SHA256\n{moment}\n{scope}\n{digest}"
    return hmac.digest(key, text.encode(), "sha256").hex()
