"""What a server wants to be told (RFC 9110, 11.6.1)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

_WORD: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_PART: Final = re.compile(
    rf'\s*(?:,\s*)*(?P<name>{_WORD})(?:\s*=\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>[^\s,"]+))|(?P<scheme>\s+|$|(?=,)))',
    re.ASCII,
)


class Challenge(NamedTuple):
    """A scheme in lower case, and its parameters by their names in lower case."""

    scheme: str
    parameters: dict[str, str]


def parse_challenges(values: Iterable[str]) -> list[Challenge]:
    """All challenges of a response's WWW-Authenticate fields, each of which may have several. What cannot be
    read ends a field."""
    found: list[Challenge] = []
    for value in values:
        position = 0
        while part := _PART.match(value, position):
            position = part.end()
            name = part["name"].lower()
            if part["scheme"] is not None:
                found.append(Challenge(name, {}))
            elif found:
                text = part["plain"] if part["quoted"] is None else re.sub(r"\\(.)", r"\1", part["quoted"])
                found[-1].parameters[name] = text
    return found
