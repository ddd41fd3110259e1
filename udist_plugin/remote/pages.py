"""Lists that come in pages (distribution-spec, "Listing Tags"; RFC 8288)."""

from __future__ import annotations

from udist_plugin.errors import RegistryError, SizeInvalid
from udist_plugin.remote.exchange import origin_form
from udist_plugin.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from udist_plugin.remote.exchange import Exchange
    from udist_plugin.remote.transport import Response

PAGE_MAX: Final = 32 << 20
"""The largest page accepted, in bytes."""

PAGES_MAX: Final = 100_000
"""How many pages of one list are followed: a registry that links in a circle ends here."""

_NEXT = r'(?ai)<([^>]*)>\s*;[^,]*\brel="?next"?'  # compiled on first use


class RemotePage(NamedTuple):
    """One page: its content, a JSON document, and the next page's target."""

    content: bytes
    following: str | None

    @property
    def last(self) -> str | None:
        """The ``last`` parameter of the next page's target."""
        from urllib.parse import parse_qs, urlsplit

        return parse_qs(urlsplit(self.following or "").query).get("last", [None])[-1]

    def strings(self, key: str) -> list[str]:
        """The document's list of strings at ``key``; a registry written in Go says null for an empty one."""
        import json

        try:
            values = json.loads(self.content)[key] or []
        except (ValueError, RecursionError, TypeError, KeyError):
            values = None
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise RegistryError({"expected": f"an object with a list of strings: {key}"}, "invalid list")
        return values


def pages(exchange: Exchange, target: str, unknown: type[RegistryError]) -> Iterator[RemotePage]:
    """The page at ``target`` and those it links to, each asked for when it is wanted."""
    following: str | None = target
    for _ in range(PAGES_MAX):
        if following is None:
            return
        with exchange.send("GET", following, (200,), unknown) as answer:
            content = read_all(answer, PAGE_MAX)
        following = _next_target(answer, following)
        yield RemotePage(content, following)
    raise RegistryError({"target": target, "pages": PAGES_MAX}, "the registry's list has too many pages")


def read_all(response: Response, limit: int) -> bytes:
    """The whole content; raises ``SizeInvalid`` when it is longer than ``limit`` bytes."""
    content = bytearray()
    while data := response.read(min(1 << 20, limit + 1 - len(content))):
        content += data
        if len(content) > limit:
            raise SizeInvalid({"limit": limit}, "the registry's response is too large")
    return bytes(content)


def _next_target(answer: Response, target: str) -> str | None:
    import re

    match = re.search(_NEXT, answer.header("link") or "")
    return origin_form(match[1], target) if match else None
