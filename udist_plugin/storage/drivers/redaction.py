"""What the libraries of services say, as it may be shown."""

from __future__ import annotations

import re
from typing import Final

SHOWN_MAX: Final = 500
"""Characters of it: a proxy's error may be a page."""

_QUERY: Final = re.compile(r"(?<=\S)\?\S*\w")


def shown(problem: object) -> str:
    """``problem`` with URLs cut short: a query may be a key (a shared access signature, an upload's id)."""
    text = _QUERY.sub("", str(problem))
    return text if len(text) <= SHOWN_MAX else f"{text[:SHOWN_MAX]}…"
