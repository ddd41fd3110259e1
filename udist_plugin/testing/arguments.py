"""Numbers on the command lines of the programs here, for ``argparse``."""

from __future__ import annotations

from argparse import ArgumentTypeError
from typing import Final

LONGEST_WAIT: Final = 600
"""Seconds."""


def seconds(text: str) -> float:
    """A bound for waits. Raises ``ArgumentTypeError``."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= LONGEST_WAIT:
        raise ArgumentTypeError(f"expected more than 0 and at most {LONGEST_WAIT} seconds, not {text!r}")
    return value


def count(text: str, most: int) -> int:
    """A number from 1 to ``most``. Raises ``ArgumentTypeError``."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= most:
        raise ArgumentTypeError(f"expected a number from 1 to {most}, not {text!r}")
    return int(text)
