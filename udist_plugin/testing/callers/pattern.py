"""The content that both sides make up: byte *i* is *i* modulo 251."""

from typing import Final

PERIOD: Final = 251

_ONCE: Final = bytes(range(PERIOD))


def pattern(length: int, start: int = 0) -> bytes:
    """``length`` bytes from byte ``start`` on."""
    skipped = start % PERIOD
    return (_ONCE * ((skipped + length) // PERIOD + 1))[skipped : skipped + length]
