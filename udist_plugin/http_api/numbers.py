"""Numbers that a client may write as long as it likes."""

from __future__ import annotations


def bounded(digits: str, most: int) -> int:
    """The decimal number ``digits``, or ``most`` if it is larger. However long it is, this takes no time."""
    digits = digits.lstrip("0") or "0"
    return most if len(digits) > len(str(most)) else min(int(digits), most)
