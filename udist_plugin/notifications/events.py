"""Events and their envelope, as distribution writes them."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

    from udist_plugin.oci.descriptor import Descriptor
    from udist_plugin.wrappers.notifying import Occurrence


class Format(NamedTuple):
    """A version of the envelope. ``always`` are the members of a target that are there even if they are
    empty, ``referred`` those of a reference."""

    media_type: str
    always: frozenset[str]
    referred: frozenset[str]


_REFERRED: Final = frozenset({"mediaType", "size", "digest", "urls", "annotations"})

FORMATS: Final[Mapping[str, Format]] = {
    "v1": Format("application/vnd.docker.distribution.events.v1+json", frozenset(), _REFERRED),
    "v2": Format(
        "application/vnd.docker.distribution.events.v2+json",
        frozenset({"mediaType", "size", "digest"}),
        _REFERRED | {"data", "platform", "artifactType"},
    ),
}
"""What distribution 2.8 and distribution 3 send."""


_USUAL_SIZE: Final = 800
"""Bytes of an envelope without what a caller can make longer."""


class Moment(NamedTuple):
    """When something happened, in ``nanoseconds`` since the epoch. ``chance``, 62 bits, makes it unique."""

    nanoseconds: int
    chance: int

    @classmethod
    def now(cls) -> Self:
        return cls(time.time_ns(), int.from_bytes(os.urandom(8)) >> 2)

    def then(self, number: int) -> Moment:
        """What is at the same time, but comes ``number`` after it."""
        return self._replace(chance=(self.chance + number) % (1 << 62))

    @property
    def id(self) -> str:
        """A UUID of version 7 (RFC 9562, section 5.7), in the order of time as far as the clock tells it."""
        milliseconds, rest = divmod(self.nanoseconds, 1_000_000)
        value = milliseconds << 80 | 7 << 76 | (rest * 4096 // 1_000_000) << 64 | 2 << 62 | self.chance
        text = f"{value:032x}"
        return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))

    @property
    def timestamp(self) -> str:
        """RFC 3339."""
        seconds, rest = divmod(self.nanoseconds, 1_000_000_000)
        return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{rest:09}Z"


class Cause(NamedTuple):
    """The request that caused an event, as far as there was one. ``base`` stands before ``/v2/`` in the URLs
    of its events; ``source`` tells where they are from."""

    moment: Moment
    base: str
    source: Mapping[str, str]
    method: str = ""
    address: str = ""
    host: str = ""
    user_agent: str = ""
    user: str = ""

    @property
    def length(self) -> int:
        """Characters of what a client can make as long as it likes, its address's zone among it."""
        return sum(map(len, (self.base, self.address, self.host, self.user_agent, self.user)))

    def facts(self) -> dict[str, Any]:
        """The members of an event that this tells."""
        request = {"id": self.moment.id, "addr": self.address, "host": self.host}
        request = {name: value for name, value in request.items() if value}
        return {
            "request": request | {"method": self.method, "useragent": self.user_agent},
            "actor": {"name": self.user} if self.user else {},
            "source": self.source,
        }


class Envelope(Protocol):
    """An event on its way: JSON in ``body``, about ``size`` bytes of it."""

    @property
    def id(self) -> str: ...

    @property
    def body(self) -> bytes: ...

    @property
    def size(self) -> int: ...


class Event:
    """An occurrence, the first or a later ``number`` of its cause. It becomes JSON when that is asked for: a
    request has no time for it."""

    __slots__ = ("_cause", "_number", "_occurrence", "_version", "size")

    def __init__(self, occurrence: Occurrence, cause: Cause, number: int, version: Format) -> None:
        self._occurrence = occurrence
        self._cause = cause
        self._number = number
        self._version = version
        self.size = _USUAL_SIZE + cause.length
        if occurrence.references:
            self.size += occurrence.size

    @property
    def id(self) -> str:
        return self._cause.moment.then(self._number).id

    @property
    def body(self) -> bytes:
        event = {
            "id": self.id,
            "timestamp": self._cause.moment.timestamp,
            "action": self._occurrence.action,
            "target": _target(self._occurrence, self._cause.base, self._version),
            **self._cause.facts(),
        }
        return json.dumps({"events": [event]}, separators=(",", ":")).encode()


def _target(occurrence: Occurrence, base: str, version: Format) -> dict[str, Any]:
    of = occurrence
    has_url = of.action != "delete"
    target = {
        "mediaType": of.media_type,
        "digest": of.digest,
        "size": of.size,
        "length": of.size,
        "repository": of.name,
        "fromRepository": of.source,
        "url": f"{base}/v2/{of.name}/{of.kind}/{of.digest}" if has_url else "",
        "tag": of.tag,
        "references": [_reference(each, version) for each in of.references],
    }
    return {name: value for name, value in target.items() if value or name in version.always}


def _reference(descriptor: Descriptor, version: Format) -> dict[str, Any]:
    return {
        name: value
        for name, value in descriptor.to_json().items()
        if name in version.referred and (value or name in version.always)
    }
