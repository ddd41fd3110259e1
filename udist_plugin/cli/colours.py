"""Colours on standard output, where a person reads it and wants them."""

from __future__ import annotations

import os
import sys

from udist_plugin.typed import Final

_CODES: Final = {"dim": 2, "red": 31, "green": 32, "yellow": 33, "blue": 34, "magenta": 35, "cyan": 36}


class Colours:
    """Colours text if standard output is a terminal that can show it, and ``NO_COLOR`` is not set
    (no-color.org)."""

    def __init__(self) -> None:
        plain = os.environ.get("NO_COLOR") or os.environ.get("TERM", "dumb") == "dumb"
        self._on = not plain and sys.stdout.isatty()

    def paint(self, colour: str, text: str) -> str:
        """``text`` in one of the colours of ``_CODES``."""
        return f"\x1b[{_CODES[colour]}m{text}\x1b[0m" if self._on else text
