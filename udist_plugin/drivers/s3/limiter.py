"""How fast a service that throttles is asked: botocore's adaptive mode, with a bound on its waits."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from udist_plugin.drivers.s3.client import (
    CapacityNotAvailableError,
    ClientRateLimiter,
    Clock,
    CubicCalculator,
    HTTPClientError,
    RateClocker,
    RetryEventAdapter,
    ThrottlingErrorDetector,
    TokenBucket,
)
from udist_plugin.drivers.s3.retries import PAUSES

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from udist_plugin.drivers.objects.pauses import Pauses

LOOK: Final = 0.05
"""Seconds between looks whether it is one's turn."""


class Throttled(HTTPClientError):
    fmt = "the service throttles: too many other requests wait for their turn; try again later"


class Limiter(ClientRateLimiter):
    """A request gets its turn while its repetitions have time, or ``Throttled`` is raised: the limiter lets
    one request through every other second at worst, whoever waits."""

    def on_sending_request(self, request: Any, **_: object) -> None:
        if not self._enabled:  # type: ignore[attr-defined]  # nothing was throttled so far
            return
        pauses: Pauses = request.context[PAUSES]
        while not self._is_my_turn():
            if time.monotonic() >= pauses.deadline:
                raise Throttled
            time.sleep(LOOK)

    def _is_my_turn(self) -> bool:
        try:
            self._token_bucket.acquire(block=False)  # type: ignore[attr-defined]
        except CapacityNotAvailableError:
            return False
        return True


def limit(client: S3Client) -> None:
    """Makes retries adaptive, as ``botocore.retries.adaptive`` does it."""
    clock = Clock()
    limiter = Limiter(
        rate_adjustor=CubicCalculator(starting_max_rate=0, start_time=clock.current_time()),
        rate_clocker=RateClocker(clock),
        token_bucket=TokenBucket(max_rate=1, clock=clock),
        throttling_detector=ThrottlingErrorDetector(retry_event_adapter=RetryEventAdapter()),
        clock=clock,
    )
    # Before the signature, where what is raised ends the request; of what is to be sent it would be repeated.
    client.meta.events.register_first("request-created.s3", limiter.on_sending_request)
    client.meta.events.register("needs-retry.s3", limiter.on_receiving_response)
