"""Events and their envelope, as distribution writes them."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

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


class Event(NamedTuple):
    """An event, encoded as the envelope that it travels in alone."""

    id: str
    body: bytes


def encode(occurrence: Occurrence, base: str, facts: Mapping[str, Any], version: Format) -> Event:
    """The event of ``occurrence``. ``base`` stands before ``/v2/`` in its URL; ``facts`` are its members
    ``request``, ``actor`` and ``source``."""
    event_id = new_id()
    event = {
        "id": event_id,
        "timestamp": _now(),
        "action": occurrence.action,
        "target": _target(occurrence, base, version),
        **facts,
    }
    return Event(event_id, json.dumps({"events": [event]}, separators=(",", ":")).encode())


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


def new_id() -> str:
    """A UUID of version 7 (RFC 9562, section 5.7): in the order of time, as exactly as the clock tells it."""
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    chance = int.from_bytes(os.urandom(8)) >> 2
    value = milliseconds << 80 | 7 << 76 | (rest * 4096 // 1_000_000) << 64 | 2 << 62 | chance
    text = f"{value:032x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def _now() -> str:
    """RFC 3339, with nanoseconds."""
    seconds, rest = divmod(time.time_ns(), 1_000_000_000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{rest:09}Z"
