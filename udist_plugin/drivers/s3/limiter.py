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

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PATIENCE: Final = 60.0
"""Seconds that one request, with its repetitions, waits for its turns. The limiter lets one request through
every other second at worst, whoever waits."""
LOOK: Final = 0.05
"""Seconds between looks whether it is one's turn."""

_LEFT: Final = "udist_patience"


class Throttled(HTTPClientError):
    fmt = "the service throttles: no turn came within {seconds:g} s"


class Limiter(ClientRateLimiter):
    """A request gets its turn within ``PATIENCE``, or ``Throttled`` is raised."""

    def on_sending_request(self, request: Any, **_: object) -> None:
        if not self._enabled:  # type: ignore[attr-defined]  # nothing was throttled so far
            return
        left: float = request.context.get(_LEFT, PATIENCE)
        begun = time.monotonic()
        while not self._is_my_turn():
            if time.monotonic() - begun >= left:
                raise Throttled(seconds=PATIENCE)
            time.sleep(LOOK)
        request.context[_LEFT] = left - (time.monotonic() - begun)

    def _is_my_turn(self) -> bool:
        try:
            self._token_bucket.acquire(block=False)  # type: ignore[attr-defined]
        except CapacityNotAvailableError:
            return False
        return True


def limit(client: S3Client) -> None:
    """Makes retries of the standard mode adaptive, as ``botocore.retries.adaptive`` does it."""
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
