"""Lists in pages: ``n`` and ``last`` ask, a Link field answers (distribution-spec, "Listing Tags")."""

from __future__ import annotations

from typing import TYPE_CHECKING

from udist_plugin.errors import PaginationInvalid

if TYPE_CHECKING:
    from udist_plugin.http_api.request import Request

N_DIGITS = 9
"""The most digits ``n`` may have."""


def page_size(request: Request, default: int | None = None, most: int | None = None) -> int | None:
    """How many items are asked for. Raises ``PaginationInvalid`` for what is no number from 0 to ``most``."""
    text = request.parameter("n")
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= N_DIGITS):
        raise PaginationInvalid({"n": text[:64]})
    size = int(text)
    if most is not None and size > most:
        raise PaginationInvalid({"n": size})
    return size


def next_link(url: str, **parameters: object) -> tuple[str, str]:
    """The Link field that leads to the next page (RFC 8288); parameters that are ``None`` are left out."""
    from urllib.parse import urlencode

    query = urlencode({name: value for name, value in parameters.items() if value is not None})
    return ("Link", f'<{url}?{query}>; rel="next"')
