"""What a plugin's redirect of a blob to its store leads to (PROTOCOL.md, "Redirects").

Nothing here does I/O: whoever follows brings ``fetch``.
"""

from __future__ import annotations

from udist_plugin.errors import RedirectFailed
from udist_plugin.typed import TYPE_CHECKING, Final, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Fields = list[tuple[str, str]]

    class Head(Protocol):
        """What a plugin has answered."""

        @property
        def status(self) -> int: ...

        def header(self, name: str, /) -> str | None: ...


CAPABILITY: Final = "redirect"

HOPS: Final = 5
"""Redirects followed for one request, the plugin's among them."""

PATIENCE: Final = 60.0
"""Seconds of a wait for a store, where the user bounds none."""

ASKED: Final = frozenset({"range", "if-range", "user-agent"})
"""Fields of a request that a store is told. Credentials are for the registry alone."""

GIVEN: Final = frozenset(
    {"accept-ranges", "content-encoding", "content-length", "content-range", "content-type", "last-modified"}
)
"""Fields of a store's answer that are handed back."""

CONTENT: Final = frozenset({200, 206, 304, 416})
ELSEWHERE: Final = frozenset({301, 302, 303, 307, 308})


class Fetched(NamedTuple):
    """A store's answer: its status, its Location, and what gives it up."""

    status: int
    location: str | None
    close: Callable[[], None]


def location_of(method: str, target: str, answer: Head) -> str | None:
    """Where the store has the content, ``None`` if ``answer`` is no redirect of a blob to a store."""
    if answer.status != 307 or method not in ("GET", "HEAD") or "/blobs/" not in target:
        return None
    url = answer.header("location")
    return url if url and _fetchable(url) else None


def follow(url: str, fetch: Callable[[str], Fetched]) -> str:
    """Fetches ``url`` and what it leads to; the last URL, whose answer is the content.

    Raises ``RedirectFailed`` when it leads nowhere, and what ``fetch`` does.
    """
    from urllib.parse import urljoin

    for _ in range(HOPS):
        status, location, close = fetch(url)
        if status in CONTENT:
            return url
        close()
        if status not in ELSEWHERE:
            raise failed(url, f"it answered {status}")
        following = urljoin(url, location or "")
        if not location or not _fetchable(following) or _scheme(url) == "https" != _scheme(following):
            raise failed(url, f"it answered {status}, but not with where to go on")
        url = following
    raise failed(url, f"more than {HOPS} redirects")


def asked(fields: Iterable[tuple[str, str]]) -> Fields:
    """What of a request's fields the store is told."""
    told = [(name, value) for name, value in fields if name.lower() in ASKED]
    return [*told, ("accept-encoding", "identity")]


def handed_back(redirect: Iterable[tuple[str, str]], store: Iterable[tuple[str, str]]) -> Fields:
    """The fields of the answer: about the content the store's, all others the plugin's."""
    own = [(name, value) for name, value in redirect if name.lower() not in GIVEN | {"location"}]
    return own + [(name.lower(), value) for name, value in store if name.lower() in GIVEN]


def failed(url: str, reason: object) -> RedirectFailed:
    return RedirectFailed(explained(url, reason))


def explained(url: str, reason: object) -> str:
    """Says where the content could not be had. The URL's query may be a key to it, and is not shown."""
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    where = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    return (
        f"the content is at {where}, and could not be had there: {reason}; "
        "without Plugin(redirects=True) the plugin sends it itself"
    )


def _fetchable(url: str) -> bool:
    from urllib.parse import urlsplit

    if not url.isascii() or not url.isprintable() or " " in url:
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _scheme(url: str) -> str:
    from urllib.parse import urlsplit

    return urlsplit(url).scheme
