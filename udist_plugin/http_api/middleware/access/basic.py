"""The Basic scheme's credentials (RFC 7617)."""

from __future__ import annotations

from binascii import Error, a2b_base64

LONGEST = 8192
"""Characters of a field that is looked at."""


def credentials(field: str) -> tuple[bytes, bytes] | None:
    """User and password of an Authorization field, ``None`` if it holds none."""
    scheme, _, encoded = field.partition(" ")
    if scheme.lower() != "basic" or len(encoded) > LONGEST:
        return None
    try:
        user, colon, password = a2b_base64(encoded.encode("latin-1"), strict_mode=True).partition(b":")
    except (Error, ValueError):
        return None
    return (user, password) if colon else None


def is_anonymous(field: str) -> bool:
    """Whether a request names nobody: containers/image answers a Basic challenge with an empty pair."""
    return not field or credentials(field) == (b"", b"")
