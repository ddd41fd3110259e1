"""Reads blobs as fast as they can be hashed: large ones in several threads, and small ones, where changing
threads takes longer than reading, in the caller's own."""

from __future__ import annotations

import os
import threading
from collections import deque
from concurrent.futures import Future

from udist_plugin.errors import PathNotFound
from udist_plugin.helpers import Helpers
from udist_plugin.storage import paths
from udist_plugin.typed import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from udist_plugin.drivers.base import StorageDriver
    from udist_plugin.oci.digest import Digest

    Read = Callable[[int], object]
    """Takes how many more bytes were read."""

THREADS: Final = min(8, os.cpu_count() or 1)
"""Each takes a processor to hash."""
AHEAD: Final = 256
"""Blobs that are looked at before the first of them has been read."""
SMALL: Final = 256 << 10
"""Bytes that are hashed in a fraction of a millisecond."""

Found = TypeVar("Found")


class Stopped(Exception):
    """Nobody waits for what is being read."""


def read_each(
    driver: StorageDriver, look: Callable[[Digest, Read], Found], digests: Iterable[Digest], read: Read
) -> Iterator[Found]:
    """What ``look`` finds out about each blob, in order.

    ``look`` reads it, and says how much to the function that it is given, which tells ``read``, one thread at
    a time. Closing the iterator waits until every thread has read one more chunk.
    """
    lock, stopped = threading.Lock(), threading.Event()

    def counted(count: int) -> None:
        if stopped.is_set():
            raise Stopped
        with lock:
            read(count)

    pool = Helpers(max(THREADS, driver.lookups), "udist-scrub")
    pending: deque[Future[Found]] = deque()
    try:
        for digest in digests:
            if driver.lookups > 1 or not _is_small(driver, digest):
                pending.append(pool.submit(look, digest, counted))
            elif pending:
                pending.append(Future())
                pending[-1].set_result(look(digest, counted))
            else:
                yield look(digest, counted)
            while pending and (pending[0].done() or len(pending) == AHEAD):
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        stopped.set()
        pool.shutdown(cancel_futures=True)


def _is_small(driver: StorageDriver, digest: Digest) -> bool:
    try:
        return driver.stat(paths.blob_data(digest)).size <= SMALL
    except PathNotFound:  # deleted meanwhile, as ``look`` finds
        return True
