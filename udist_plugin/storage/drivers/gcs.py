"""Google Cloud Storage: distribution's ``gcs`` section, and the driver it makes.

The keys are distribution's, so that either can use a bucket of the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from udist_plugin.storage.drivers.gcs_store import GcsStore
from udist_plugin.storage.drivers.object_driver import ObjectDriver
from udist_plugin.storage.drivers.parameters import Parameters

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

CHUNK_STEP: Final = 256 << 10
"""What a chunk of a resumable upload is a multiple of, in bytes."""
CHUNK_SIZE: Final = 8 << 20
CONNECTIONS: Final = 50
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
    section = Parameters("storage.gcs", values)
    chunk_size = section.number("chunksize", CHUNK_SIZE, CHUNK_STEP)
    if chunk_size % CHUNK_STEP:
        raise section.error("chunksize", f"expected a multiple of {CHUNK_STEP}, not {chunk_size}")
    found = Settings(
        bucket=section.required("bucket", "the name of the bucket that holds the registry"),
        keyfile=section.text("keyfile"),
        credentials=section.mapping("credentials"),
        chunk_size=chunk_size,
        connections=max(section.number("maxconcurrency", CONNECTIONS, 0), CONNECTIONS_MIN),
        user_agent=section.text("useragent") or None,
    )
    root = section.text("rootdirectory").strip("/")
    return found, f"{root}/" if root else ""


class GcsDriver(ObjectDriver):
    """Files in a bucket."""

    name = "gcs"

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, object]) -> Self:
        found, prefix = settings(parameters)
        return cls(GcsStore(found), prefix)
