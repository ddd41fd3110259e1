"""Constants of version 1 (PROTOCOL.md, "Limits")."""

from __future__ import annotations

from udist_plugin.typed import Final

VERSION: Final = 1

FILES: Final = "files"
"""The capability of content in files."""

PREFIX_SIZE: Final = 5
"""One flag byte, always 0, and the frame's length, four bytes, big-endian."""

MAX_DATA: Final = 1 << 20
"""The largest payload of a data frame, in bytes."""

MAX_DATA_HEAD: Final = 32
"""Room beside the payload in a data frame; a canonical head takes at most 13 bytes."""

MAX_CONTROL: Final = 64 << 10
"""The largest frame that carries no data, in bytes without the prefix."""

INITIAL_CREDIT: Final = 256 << 10
"""Payload bytes a side may send on a new stream before the peer grants more."""

SMALL_CREDIT: Final = 16 << 10
"""The most of these on a stream that is opened beside ``INITIAL_STREAMS`` others."""

DECLARED_CREDIT: Final = "initial-credit"
"""The capability of a caller that says in a request how much credit its stream begins with, and of a plugin
that heeds it."""

MAX_CREDIT: Final = (1 << 31) - 1

INITIAL_STREAMS: Final = 64
"""Streams a caller may have open before the plugin's settings allow more."""

MAX_MESSAGE: Final = 4096
"""Characters of the message in a reset or go_away; a sender cuts longer ones."""

MAX_STREAM_ID: Final = (1 << 31) - 1

KEPT_FIELDS: Final = 512
KEPT_LENGTH: Final = 256
"""Heads mostly repeat fields of earlier ones (RFC 7541, section 1): what was made of so many fields, none
longer than this in bytes, is kept."""

CODES: Final = (
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
)
"""gRPC status codes; the index is the number on the wire."""


def code_name(number: int) -> str:
    """A status code's name; one that is not known yet is ``UNKNOWN``, as gRPC has it."""
    return CODES[number] if 0 <= number < len(CODES) else "UNKNOWN"
