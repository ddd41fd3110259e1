"""``proxy``: the registry that this one is a cache of. Durations are seconds."""

from __future__ import annotations

from typing import Final

from udist_plugin.config.part import Part
from udist_plugin.keys import NO_EFFECT, Key
from udist_plugin.kinds import INFINITY, Duration, Secret, Text

WEEK: Final = 7 * 24 * 3600.0


class RemoteUrl(Text):
    """A URL of HTTP that ends with the host, or with a slash behind it."""

    def __init__(self, *, optional: bool = False) -> None:
        super().__init__(
            "a URL without a path, such as https://registry-1.docker.io",
            r"https?://[^/?#\s@\\]+/?" + ("|" if optional else ""),
        )

    def parse(self, text: str) -> str:
        from urllib.parse import urlsplit

        super().parse(text)
        _ = urlsplit(text).port  # which says what is wrong with a port or an address
        return text.removesuffix("/")


TTL: Final = Duration(unset=INFINITY, endless=True)

UPSTREAM: Final = (
    Key("username", Text(), "", "the user at that registry"),
    Key("password", Secret(), "", "the user's password"),
    Key("exec.command", Text(), "", "a credential helper, which is asked instead"),
    Key("exec.lifetime", Duration(), None, "how long its answer is used; without end if not given"),
    Key("ttl", TTL, WEEK, "how long content is kept; 0 for no limit"),
)
"""What there is to say of a registry that is cached, beside where it is."""

KEYS: Final = (
    Key("remoteurl", RemoteUrl(optional=True), "", "the URL of the registry to cache"),
    *UPSTREAM,
    Key("cachewritetimeout", Duration(), 300.0, "no write to the cache waits for ever here", NO_EFFECT),
)


class Exec(Part):
    """The credential helper ``command``, if any, asked again after ``lifetime``."""

    command: str
    lifetime: float | None


class Proxy(Part):
    """``proxy``, as it was given; there is none where the section is not. Without a ``remoteurl`` nothing is
    cached. A ``ttl`` without limit is infinity."""

    remoteurl: str
    username: str
    password: str
    exec: Exec
    ttl: float


MODELS: Final = {"": Proxy, "exec": Exec}
