"""``notifications``: who is told what happens in the registry. Durations are seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from udist_plugin.config.part import Part
from udist_plugin.keys import REQUIRED, Key
from udist_plugin.kinds import Boolean, Choice, Duration, Integer, Secret, Text

if TYPE_CHECKING:
    from collections.abc import Mapping


class _Target(Text):
    """A URL of HTTP, a file or a command."""

    def __init__(self) -> None:
        super().__init__(
            "a URL such as https://events.example/, file:/var/log/events or exec:/usr/bin/command",
            r"https?://(?![/?#])[!-~]+|file:(//)?/[^/\0][^\0]*|exec:/[^\0]+",
        )

    def parse(self, text: str) -> str:
        import shlex
        from urllib.parse import urlsplit

        super().parse(text)
        if text.startswith("exec:"):
            shlex.split(text)  # which says what is wrong with quotes
        elif text.startswith("http"):
            _ = urlsplit(text).port  # and this, with a host or a port
        return text


_TEXT = Text()
_ACTION = Choice("pull", "push", "mount", "delete")
_SECOND = Duration(unset=1.0)
_FIELD_VALUE = Secret("a field value on one line (RFC 9110, section 5.5)", r"[\t\x20-\x7e\x80-\xff]*")

KEYS: Final = (
    Key("events.includereferences", Boolean(), False, "include what a manifest refers to in its events"),
    Key("endpoints[].name", _TEXT, "", "the endpoint's name in the log, the metrics and the spool"),
    Key("endpoints[].disabled", Boolean(), False, "ignore this endpoint"),
    Key("endpoints[].url", _Target(), REQUIRED, "where events are sent: http, https, file: or exec:"),
    Key("endpoints[].headers.*[]", _FIELD_VALUE, None, "fields added to the request"),
    Key("endpoints[].timeout", _SECOND, 1.0, "how long to wait for the endpoint"),
    Key("endpoints[].threshold", Integer(0, 1 << 31, unset=10), 10, "failures until the pause is backoff"),
    Key("endpoints[].backoff", _SECOND, 1.0, "the longest pause before the next attempt"),
    Key("endpoints[].ignoredmediatypes[]", _TEXT, None, "the old name of ignore.mediatypes"),
    Key("endpoints[].ignore.mediatypes[]", _TEXT, None, "media types that cause no events"),
    Key("endpoints[].ignore.actions[]", _ACTION, None, "actions that cause no events"),
)

VARIABLES: Final = {"EVENTCONFIG": "events"}


class Ignore(Part):
    """What causes no events: distribution's pull, push, mount and delete, and media types."""

    mediatypes: tuple[str, ...]
    actions: tuple[str, ...]


class Endpoint(Part):
    """An endpoint that is not disabled. ``timeout`` is for each wait, ``backoff`` the pause after
    ``threshold`` failures in a row."""

    name: str
    url: str
    headers: Mapping[str, tuple[str, ...]]
    timeout: float
    threshold: int
    backoff: float
    ignoredmediatypes: tuple[str, ...]
    ignore: Ignore


class Events(Part):
    """Whether events of manifests tell what these refer to."""

    includereferences: bool


class Notifications(Part):
    """``notifications``, as it was given; there is none where the section is not."""

    events: Events
    endpoints: tuple[Endpoint, ...]


MODELS: Final = {
    "": Notifications,
    "events": Events,
    "endpoints[]": Endpoint,
    "endpoints[].ignore": Ignore,
}
