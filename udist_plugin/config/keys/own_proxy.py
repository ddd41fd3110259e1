"""``udist.proxy``: what distribution has no key for when other registries are cached."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from udist_plugin.config.keys.proxy import UPSTREAM, Exec, RemoteUrl
from udist_plugin.config.part import Part
from udist_plugin.keys import REQUIRED, Key, below
from udist_plugin.kinds import Pattern, Text

if TYPE_CHECKING:
    from udist_plugin.patterns.pattern import Pattern as Compiled

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_PREFIX = Text(
    "the beginning of repository names, such as docker.io or mirror/quay", rf"{_COMPONENT}(?:/{_COMPONENT})*"
)

KEYS: Final = (
    Key("immutable[]", Pattern(), None, "tags that never change upstream: what is stored is not revalidated"),
    Key("upstreams[].prefix", _PREFIX, REQUIRED, "repositories below this name are those of an upstream"),
    Key("upstreams[].remoteurl", RemoteUrl(), REQUIRED, "the URL of that registry"),
    *below("upstreams[]", UPSTREAM),
)


class Upstream(Part):
    """A registry whose repositories are here below ``prefix``; the rest is as in ``Proxy``."""

    prefix: str
    remoteurl: str
    username: str
    password: str
    exec: Exec
    ttl: float


class OwnProxy(Part):
    """Tags that match one of ``immutable`` as a whole are not looked up again; ``upstreams`` are registries
    beside that of ``proxy``."""

    immutable: tuple[Compiled, ...]
    upstreams: tuple[Upstream, ...]


MODELS: Final = {"": OwnProxy, "upstreams[]": Upstream, "upstreams[].exec": Exec}
