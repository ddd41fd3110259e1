"""Bounds in time and size for what azure-storage-blob does."""

from __future__ import annotations

from typing import Any, Final

from udist_plugin.drivers.azure.retries import PATIENCE_OPTION
from udist_plugin.drivers.objects.pauses import PROBE_PATIENCE

PIECE: Final = 8 << 20
"""Bytes read by one request, and sent by one of a large upload."""
BOUNDS: Final[dict[str, Any]] = {
    "connection_timeout": 10,
    "read_timeout": 60,
    "connection_data_block_size": 256 << 10,
    "max_single_get_size": PIECE,
    "max_chunk_get_size": PIECE,
}
PROBE_BOUNDS: Final[dict[str, Any]] = {
    "connection_timeout": 5,
    "read_timeout": 10,
    PATIENCE_OPTION: PROBE_PATIENCE,
}
