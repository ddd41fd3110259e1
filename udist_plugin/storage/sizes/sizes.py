"""What is true of a blob's digest for ever, remembered: its size.

A size says nothing of a repository, so every request reads the repository's link first, and a deletion is
seen at once, by every plugin. Nor does a size say that the blob's data still stands. What an answer needs to
be true decides who may take one from a cache:

- HEAD and ranges take it while the link stands: links go before data, so the link vouches for it. Only a
  collector that leaves links behind (distribution 2's) breaks that, until one of the next notices.
- Content, redirects, mounts and the references of a pushed manifest look at the data. So nothing is ever
  acknowledged on a cache's word, and whoever finds the data gone forgets the size for all.

A digest has one size in every store, so plugins on different stores may share a cache.
"""

from __future__ import annotations

from udist_plugin.storage.cache import Cache
from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from udist_plugin.oci.digest import Digest

    Record = Callable[[str, str], object]
    """Takes a level (debug, info, warn, error) and a message for the log."""

DEFAULT_SIZE: Final = 10_000
"""Entries of the cache in memory, as in distribution."""
LARGEST_SIZE: Final = 1 << 18
"""Entries of one that distribution would not bound: 64 MiB or so."""


class Sizes:
    """Sizes of blobs by digest, in bytes; safe from any thread. This one remembers nothing."""

    local: bool = True
    """Whether nobody waits for another service."""

    failed: Callable[[], object] = staticmethod(lambda: None)
    """Called when a service did not answer."""

    def size(self, digest: Digest) -> int | None:  # noqa: ARG002
        """The size, ``None`` when it is not remembered."""
        return None

    def learn(self, digest: Digest, size: int) -> None:
        """Remembers what was read of the store."""

    def forget(self, digest: Digest) -> None:
        """Drops what is remembered of a blob whose data is gone."""

    def start(self, record: Record) -> None:
        """Begins what the first answer did not need."""

    def close(self) -> None:
        """Lets go of connections; twice is once."""


class MemorySizes(Sizes):
    """In this process; ``limit`` entries, without one (zero or less) as many as are harmless."""

    def __init__(self, limit: int = DEFAULT_SIZE) -> None:
        self._sizes: Cache[Digest, int] = Cache(min(limit, LARGEST_SIZE) if limit > 0 else LARGEST_SIZE)

    def size(self, digest: Digest) -> int | None:
        return self._sizes.get(digest)

    def learn(self, digest: Digest, size: int) -> None:
        self._sizes.put(digest, size)

    def forget(self, digest: Digest) -> None:
        self._sizes.take(digest)
