"""Fields of requests; what programs could read in different ways is refused."""

from __future__ import annotations

import re

from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Protocol

    class Lines(Protocol):
        """What a head is read from."""

        def readline(self) -> bytes: ...


NAME: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A token (RFC 9110, section 5.6.2)."""


def read_fields(lines: Lines, fields: dict[bytes, bytes]) -> dict[bytes, bytes]:
    """Reads ``fields`` up to the empty line, without line folding and without space before the colon
    (RFC 9112, section 5). The values of a repeated field are joined by commas, so a repeated
    Content-Length or Authorization is not a valid one. Raises ``ValueError``."""
    while (line := lines.readline()) != b"\r\n":
        name, colon, value = line.partition(b":")
        if not (colon and line.endswith(b"\r\n") and NAME.fullmatch(name)):
            raise ValueError("Malformed field line")
        name, value = name.title(), value.strip()
        fields[name] = b", ".join((fields[name], value)) if name in fields else value
    return fields


def coding_problem(fields: Mapping[bytes, bytes], protocol: str) -> str | None:
    """Why it is in doubt where the content ends (RFC 9112, section 6.1)."""
    coding = fields.get(b"Transfer-Encoding")
    if coding is None:
        return None
    if b"Content-Length" in fields:
        return "Transfer-Encoding beside Content-Length"
    if protocol != "HTTP/1.1" or coding.lower() != b"chunked":
        return "Transfer-Encoding is not chunked, or not of HTTP/1.1"
    return None
