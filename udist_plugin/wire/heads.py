"""What a head may say (RFC 9110, sections 5 and 9; RFC 9112, section 3.2.1).

Each check returns what is wrong, or ``None``; whether that is the peer's fault or ours, the connection knows.
"""

from __future__ import annotations

from functools import lru_cache

from udist_plugin.typed import TYPE_CHECKING, Final
from udist_plugin.wire.constants import INITIAL_CREDIT, KEPT_FIELDS, KEPT_LENGTH

if TYPE_CHECKING:
    from udist_plugin.wire.frames import Fields, Request, Response

HOP_BY_HOP: Final = frozenset(
    {"connection", "host", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade"}
)
"""Fields about a connection (RFC 9110, section 7.6.1), and ``host``, for which there is the authority: they
never travel."""

SCHEMES: Final = ("http", "https")
MAX_LENGTH: Final = (1 << 63) - 1

_DIGITS = frozenset("0123456789")
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz")
_NAME = frozenset("!#$%&'*+-.^_`|~") | _DIGITS | _LETTERS
_TOKEN = _NAME | frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_AUTHORITY = _TOKEN - frozenset("#^`|") | frozenset("(),;=:[]")
_VALUE = bytes([0x09, *range(0x20, 0x7F), *range(0x80, 0x100)])
"""Characters allowed, not patterns: compiling those would be felt in every start."""


def request_problem(head: Request) -> str | None:
    """What is wrong with a request's head."""
    if not head.method or not _TOKEN.issuperset(head.method):
        return f"method {head.method[:64]!r} is not a token"
    if not _is_origin_form(head.target):
        return f"target {head.target[:64]!r} is not in origin form"
    if head.scheme not in SCHEMES:
        return f"scheme {head.scheme[:64]!r} is neither http nor https"
    if not _AUTHORITY.issuperset(head.authority):
        return f"authority {head.authority[:64]!r} is not a host and port"
    if head.initial_credit > INITIAL_CREDIT:
        return f"initial credit of {head.initial_credit} bytes exceeds {INITIAL_CREDIT}"
    return fields_problem(head.fields)


def response_problem(head: Response) -> str | None:
    """What is wrong with a response's head."""
    if not 200 <= head.status <= 599:
        return f"status {head.status} is not between 200 and 599"
    return fields_problem(head.fields)


def fields_problem(fields: Fields) -> str | None:
    """What is wrong with header or trailer fields."""
    for name, value in fields:
        check = _kept_problem if len(name) + len(value) <= KEPT_LENGTH else _field_problem
        if problem := check(name, value):
            return problem
    return None


def _field_problem(name: str, value: bytes) -> str | None:
    if not name or not _NAME.issuperset(name):
        return f"field name {name[:64]!r} is not a lower-case token"
    if name in HOP_BY_HOP:
        return f"field {name!r} never travels"
    if value.translate(None, _VALUE):
        return f"field {name[:64]!r} has a control character in its value"
    return None


_kept_problem = lru_cache(KEPT_FIELDS)(_field_problem)


def content_length(fields: Fields) -> int | None:
    """The declared length of the content; ``ValueError`` when it is malformed or given twice differently."""
    lengths = {_length(value) for name, value in fields if name == "content-length"}
    if len(lengths) > 1:
        raise ValueError("content-length is not one number")
    return lengths.pop() if lengths else None


def _length(value: bytes) -> int:
    if not value.isdigit() or len(value) > 19 or int(value) > MAX_LENGTH:
        raise ValueError("content-length is not one number")
    return int(value)


def _is_origin_form(target: str) -> bool:
    if target == "*":
        return True
    visible = target.isascii() and target.isprintable() and " " not in target
    return target.startswith("/") and visible and "#" not in target
