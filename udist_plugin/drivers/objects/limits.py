"""What Amazon S3 and services made after it ask of uploads in parts."""

from typing import Final

PART_MIN: Final = 5 << 20
PART_MAX: Final = 5 << 30
"""Bytes of an upload's part, the last one aside."""
PARTS_MAX: Final = 10_000
COPY_SIZE: Final = 32 << 20
"""Bytes from which on a copy is made in parts, of about as many."""
