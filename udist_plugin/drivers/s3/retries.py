"""Requests that fail in passing are sent again by botocore, with pauses of our own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from udist_plugin.drivers.objects.pauses import Pauses
from udist_plugin.drivers.s3.client import (
    CERTIFICATE,
    HTTPClientError,
    RetryEventAdapter,
    StandardRetryConditions,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_s3 import S3Client

PAUSES: Final = "udist_pauses"
"""Where a request's context holds its pauses."""

_ANY_NUMBER: Final = 1 << 30


class Retries:
    """How long a client's requests are repeated, each for ``patience`` seconds."""

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._conditions = StandardRetryConditions(_ANY_NUMBER)
        self._adapter = RetryEventAdapter()

    def watch(self, client: S3Client) -> None:
        client.meta.events.register("before-call.s3", self._begin)
        again: Any = self._again
        client.meta.events.register("needs-retry.s3", again)

    def _begin(self, context: dict[str, Any], **_: object) -> None:
        context[PAUSES] = Pauses(self._patience)

    def _again(self, **event: Any) -> float | None:
        """Seconds until the request is sent again, or ``None``."""
        if _is_lasting(event["caught_exception"]):
            return None
        if not self._conditions.is_retryable(self._adapter.create_retry_context(**event)):
            return None
        pauses: Pauses = event["request_dict"]["context"][PAUSES]
        return pauses.next()


def repeated(answer: Mapping[str, Any]) -> bool:
    """Whether the request was sent more than once. Then its success needs a look.

    A service may take it for the repetition of a request that it never finished: versitygw says that an
    upload it does not know is complete, if any object stands there.
    """
    return bool(answer["ResponseMetadata"].get("RetryAttempts"))


def _is_lasting(error: Exception | None) -> bool:
    """Whether it will be the same the next time, though botocore repeats it."""
    if isinstance(error, CERTIFICATE):
        return "CERTIFICATE_VERIFY_FAILED" in str(error)
    return isinstance(error, HTTPClientError) and isinstance(error.kwargs.get("error"), ValueError)
