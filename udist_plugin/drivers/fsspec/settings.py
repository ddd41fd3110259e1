"""What the ``fsspec`` section comes to: the settings of ``FsspecDriver``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from udist_plugin.drivers.fsspec.keys import CONNECTIONS, KEYS
from udist_plugin.drivers.section import Section

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME: Final = "fsspec"
KNOWN_HOSTS: Final = "~/.ssh/known_hosts"
SFTP: Final = frozenset({"sftp", "ssh"})

_RENAMES: Final = SFTP | {"file", "local"}
_WHOLE: Final = frozenset({"memory", "s3", "s3a", "gs", "gcs", "az", "abfs", "abfss"})
"""Protocols whose file systems are known: they rename over a file at once, or show a file only when it is
closed. Of another the user has to say it: half a file that is taken for a whole one is a lost image."""

_SECRETS: Final = ("key", "pass", "secret", "token")
"""Options with such a name are text, whatever they look like."""


class Settings(NamedTuple):
    """What ``FsspecDriver`` is made of."""

    url: str
    options: Mapping[str, object] = {}
    """The file system's arguments."""
    renames: bool = True
    """Whether a file is published by renaming it."""
    connections: int = CONNECTIONS
    """File systems opened at most: each is used by one thread at a time."""
    known_hosts: str = KNOWN_HOSTS

    @property
    def protocol(self) -> str:
        return self.url.partition("://")[0]


def settings(values: Mapping[str, object]) -> tuple[Settings, str]:
    """The section's settings; nothing stands before a path but the URL's. Raises ``ConfigurationError``."""
    section = Section(f"storage.{NAME}", KEYS, values)
    url = section.required("url", "the folder that holds the registry, such as sftp://user@host/folder")
    if "::" in url:
        raise section.error("url", "expected one file system, not a chain of them")
    found = Settings(
        url.rstrip("/"),
        {name: _value(name, str(text)) for name, text in section.mapping("options").items()},
        _renames(section, url),
        section["connections"],
        section.text("knownhosts") or KNOWN_HOSTS,
    )
    if found.protocol == "memory":  # its instances share what they hold, without a lock
        found = found._replace(connections=1)
    return found, ""


def _renames(section: Section, url: str) -> bool:
    protocol, is_url, _ = url.partition("://")
    if section.given("publish"):
        return section.text("publish") == "rename"
    if is_url and protocol not in _RENAMES | _WHOLE:  # or the URL is wrong, not this
        raise section.error(
            "publish",
            f"is missing, and udist does not know {protocol}: set rename if a rename replaces a file at once,"
            " or whole if a file appears only when it is closed; then try it with udist doctor",
        )
    return protocol in _RENAMES


def _value(name: str, text: str) -> object:
    """An option as Python has it: fsspec's file systems take numbers and booleans too."""
    if any(word in name for word in _SECRETS):
        return text
    if text in ("true", "false"):
        return text == "true"
    return int(text) if re.fullmatch(r"0|[1-9]\d{0,9}", text) else text
