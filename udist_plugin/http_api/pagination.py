"""Lists in pages: ``n`` and ``last`` ask, a Link field answers (distribution-spec, "Listing Tags")."""

from __future__ import annotations

from udist_plugin.errors import PaginationInvalid
from udist_plugin.http_api.numbers import bounded
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from udist_plugin.http_api.request import Request


def page_size(request: Request, most: int) -> int | None:
    """How many items the request asks for, at most ``most``; ``None`` if it does not say.

    Raises ``PaginationInvalid`` unless ``n`` is a number.
    """
    text = request.parameter("n")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()):
        raise PaginationInvalid({"n": text[:64]})
    return bounded(text, most)


def next_link(url: str, **parameters: object) -> tuple[str, str]:
    """The Link field that leads to the next page (RFC 8288); parameters that are ``None`` are left out."""
    from urllib.parse import urlencode

    query = urlencode({name: value for name, value in parameters.items() if value is not None})
    return ("Link", f'<{url}?{query}>; rel="next"')
