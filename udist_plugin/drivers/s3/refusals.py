"""A refusal of what the same credentials were allowed before: the request is sent again, for two seconds.

MinIO answers AccessDenied, even to its own root user, to a put that meets a deletion in the same folder; sent
again, the same put succeeds. Rights that are really missing were never proven, or are refused each time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from udist_plugin.drivers.s3.permissions import DENIED, right

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

WAITS: Final = (0.05, 0.1, 0.2, 0.4, 0.8)
"""Seconds before each repetition."""


class Proven:
    """The rights that some request has shown the credentials to have; safe from any thread."""

    def __init__(self) -> None:
        self._rights: set[str] = set()

    def watch(self, client: S3Client) -> None:
        """Learns from what ``client`` is answered, and repeats what it is refused against that."""
        client.meta.events.register("after-call.s3", self._learn)
        again: Any = self._again
        client.meta.events.register("needs-retry.s3", again)

    def _learn(self, http_response: Any, model: Any, **_: object) -> None:
        if http_response.status_code < 300:
            self._rights.add(right(model.name))

    def _again(self, response: Any, operation: Any, attempts: int, **_: object) -> float | None:
        """Seconds until the request is sent again, or ``None``."""
        code = response[1].get("Error", {}).get("Code") if response else None
        refused = code in DENIED and right(operation.name) in self._rights
        return WAITS[attempts - 1] if refused and attempts <= len(WAITS) else None
