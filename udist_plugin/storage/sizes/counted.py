"""A cache of sizes that is watched: how often it is asked, knows, and fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

from udist_plugin.storage.sizes.sizes import Sizes

if TYPE_CHECKING:
    from collections.abc import Callable

    from udist_plugin.oci.digest import Digest
    from udist_plugin.storage.sizes.sizes import Record


class CountedSizes(Sizes):
    """``sizes``. ``asked`` is told after each question whether the size was remembered, ``failed`` is called
    when a service did not answer."""

    def __init__(self, sizes: Sizes, asked: Callable[[bool], object], failed: Callable[[], object]) -> None:
        self.local = sizes.local
        self._sizes = sizes
        self._asked = asked
        sizes.failed = failed

    def size(self, digest: Digest) -> int | None:
        size = self._sizes.size(digest)
        self._asked(size is not None)
        return size

    def learn(self, digest: Digest, size: int) -> None:
        self._sizes.learn(digest, size)

    def forget(self, digest: Digest) -> None:
        self._sizes.forget(digest)

    def start(self, record: Record) -> None:
        self._sizes.start(record)

    def close(self) -> None:
        self._sizes.close()
