"""Conditional requests (RFC 9110, section 13). Every entity tag here is strong: a quoted digest."""

from __future__ import annotations

from udist_plugin.http_api.errors import PreconditionFailed
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from udist_plugin.http_api.request import Request
    from udist_plugin.oci.digest import Digest


def is_conditional(request: Request) -> bool:
    """Whether the answer depends on a validator."""
    return request.field("if-match") is not None or request.field("if-none-match") is not None


def not_modified(request: Request, digest: Digest) -> bool:
    """Whether a GET or HEAD of what ``digest`` names is answered with 304.

    Evaluated in the order of section 13.2.2; there are no modification dates. Raises ``PreconditionFailed``
    when If-Match does not hold.
    """
    expected = request.field("if-match")
    if expected is not None and not _lists(expected, digest, weak=False):
        raise PreconditionFailed({"digest": digest})
    known = request.field("if-none-match")
    return known is not None and _lists(known, digest, weak=True)


def range_applies(request: Request, digest: Digest) -> bool:
    """Whether If-Range, if present, lets the Range field count (section 13.1.5).

    A date never matches: nothing here has one.
    """
    validator = request.field("if-range")
    return validator is None or validator.strip() == f'"{digest}"'


def _lists(field: str, digest: Digest, weak: bool) -> bool:
    """Whether a list of entity tags has ``digest``, or is ``*``. distribution's clients may leave out the
    quotes, which no digest can be confused by."""
    for item in field.split(","):
        tag = item.strip()
        if weak:
            tag = tag.removeprefix("W/")
        if tag in ("*", digest, f'"{digest}"'):
            return True
    return False
