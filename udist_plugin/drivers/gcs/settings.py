"""What the ``gcs`` section comes to: the settings of ``GcsStore``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from udist_plugin.drivers.gcs.keys import CHUNK_SIZE, CONNECTIONS, KEYS
from udist_plugin.drivers.section import Section

if TYPE_CHECKING:
    from collections.abc import Mapping

CONNECTIONS_MIN: Final = 25


class Settings(NamedTuple):
    """What ``GcsStore`` is made of."""

    bucket: str
    keyfile: str = ""
    """The path of a service account's JSON key."""
    credentials: Mapping[str, object] = {}
    """What such a key says, as a mapping."""
    chunk_size: int = CHUNK_SIZE
    """Bytes sent by one request of a large upload."""
    connections: int = CONNECTIONS
    """Connections kept open for reuse."""
    user_agent: str | None = None


def settings(values: Mapping[str, object]) -> tuple[Settings, str]:
    """The section's settings, and what stands before every key. Raises ``ConfigurationError``."""
    section = Section("storage.gcs", KEYS, values)
    found = Settings(
        bucket=section.required("bucket", "the name of the bucket that holds the registry"),
        keyfile=section.text("keyfile"),
        credentials=section.mapping("credentials"),
        chunk_size=section["chunksize"],
        connections=max(section["maxconcurrency"], CONNECTIONS_MIN),
        user_agent=section.text("useragent") or None,
    )
    return found, section.prefix()
