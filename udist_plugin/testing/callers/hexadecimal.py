"""Frames that no encoder writes."""

from __future__ import annotations


def framed(message: str) -> bytes:
    """The frame with this message, which is in hexadecimal."""
    data = bytes.fromhex(message)
    return b"\0" + len(data).to_bytes(4, "big") + data
