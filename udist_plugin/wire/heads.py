"""What a head may say (RFC 9110, sections 5 and 9; RFC 9112, section 3.2.1).

Each check returns what is wrong, or ``None``; whether that is the peer's fault or ours, the connection knows.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from udist_plugin.wire.frames import Fields, Request, Response

HOP_BY_HOP: Final = frozenset(
    {"connection", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade"}
)
"""Fields about a connection (RFC 9110, section 7.6.1): they never travel."""

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+", re.ASCII)
_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9a-z]+", re.ASCII)
_VALUE_FORBIDS = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*", re.ASCII)
_AUTHORITY = re.compile(r"[A-Za-z0-9\-._~%!$&'()*+,;=:\[\]]*", re.ASCII)
_TARGET = re.compile(r"/[!-\"$-~]*|\*", re.ASCII)
_LENGTH = re.compile(rb"[0-9]{1,19}")


def request_problem(head: Request) -> str | None:
    """What is wrong with a request's head."""
    if not _TOKEN.fullmatch(head.method):
        return f"method {head.method[:64]!r} is not a token"
    if not _TARGET.fullmatch(head.target):
        return f"target {head.target[:64]!r} is not in origin form"
    if not _SCHEME.fullmatch(head.scheme):
        return f"scheme {head.scheme[:64]!r} is not one (RFC 3986, section 3.1)"
    if not _AUTHORITY.fullmatch(head.authority):
        return f"authority {head.authority[:64]!r} is not a host and port"
    return fields_problem(head.fields)


def response_problem(head: Response) -> str | None:
    """What is wrong with a response's head."""
    if not 200 <= head.status <= 599:
        return f"status {head.status} is not between 200 and 599"
    return fields_problem(head.fields)


def fields_problem(fields: Fields) -> str | None:
    """What is wrong with header or trailer fields."""
    for name, value in fields:
        if not _NAME.fullmatch(name):
            return f"field name {name[:64]!r} is not a lower-case token"
        if name in HOP_BY_HOP:
            return f"field {name!r} is about a connection and never travels"
        if _VALUE_FORBIDS.search(value):
            return f"field {name[:64]!r} has a control character in its value"
    return None


def content_length(fields: Fields) -> int | None:
    """The declared length of the content; ``ValueError`` when it is malformed or given twice differently."""
    values = {value for name, value in fields if name == "content-length"}
    if not values:
        return None
    if len(values) > 1 or not _LENGTH.fullmatch(value := values.pop()):
        raise ValueError("content-length is not one number")
    return int(value)
