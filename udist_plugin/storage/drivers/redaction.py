"""What the libraries of services say, without the secrets that URLs carry."""

from __future__ import annotations

import re
from typing import Final

_QUERY: Final = re.compile(r"(?<=\S)\?\S*\w")


def without_queries(text: str) -> str:
    """``text`` with URLs cut short: a query may be a key (a shared access signature, an upload's id)."""
    return _QUERY.sub("", text)
