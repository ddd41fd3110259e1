"""Bounds in time and size for what azure-storage-blob does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from azure.storage.blob import ExponentialRetry

if TYPE_CHECKING:
    from udist_plugin.storage.drivers.azure import Settings

PIECE: Final = 8 << 20
"""Bytes read by one request, and sent by one of a large upload."""
BACKOFF_MAX: Final = 60.0
"""Seconds before a retry, at most."""
PROBE_BOUNDS: Final[dict[str, Any]] = {
    "connection_timeout": 5,
    "read_timeout": 10,
    "retry_total": 1,
    "retry_connect": 1,
}


class Retry(ExponentialRetry):
    """The library's, whose waits double without end (``max_retries: 20`` would be days), and which has
    counted the retry already when it asks for the wait before it."""

    def get_backoff_time(self, settings: dict[str, Any]) -> float:
        return min(super().get_backoff_time({"count": settings["count"] - 1}), BACKOFF_MAX)


def bounds(settings: Settings) -> dict[str, Any]:
    """For a client."""
    kinds: dict[str, Any] = dict.fromkeys(("retry_connect", "retry_read", "retry_status"), settings.retries)
    return {
        "retry_policy": Retry(
            initial_backoff=settings.retry_delay,  # type: ignore[arg-type]  # any number will do
            increment_base=2,
            retry_total=settings.retries,
            random_jitter_range=0,
            **kinds,
        ),
        "connection_timeout": 10,
        "read_timeout": 60,
        "connection_verify": settings.verify,
        "connection_data_block_size": 256 << 10,
        "max_single_get_size": PIECE,
        "max_chunk_get_size": PIECE,
    }
