"""Reads blobs as fast as they can be hashed: large ones in several threads, and small ones, where changing
threads takes longer than reading, in the caller's own."""

from __future__ import annotations

import os
import threading
from collections import deque
from concurrent.futures import Future
from contextlib import nullcontext

from udist_plugin.errors import StorageError
from udist_plugin.helpers import Helpers
from udist_plugin.storage import paths
from udist_plugin.typed import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from udist_plugin.content import Content
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
    driver: StorageDriver,
    look: Callable[[Digest, Read, Content | None], Found],
    digests: Iterable[Digest],
    read: Read,
) -> Iterator[Found]:
    """What ``look`` finds out about each blob, in order.

    ``look`` reads it, and says how much to the function that it is given, which tells ``read``, one thread at
    a time. If the blob is open already, it also gets its content. Closing the iterator waits until every
    thread has read one more chunk.
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
            content = None if driver.lookups > 1 else _opened(driver, digest)
            if driver.lookups > 1 or (content and content.size > SMALL):
                if content:
                    content.close()
                pending.append(pool.submit(look, digest, counted, None))
            else:
                with content or nullcontext():
                    found = look(digest, counted, content)
                if not pending:
                    yield found
                    continue
                pending.append(Future())
                pending[-1].set_result(found)
            while pending and (pending[0].done() or len(pending) == AHEAD):
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        stopped.set()
        pool.shutdown(cancel_futures=True)


def _opened(driver: StorageDriver, digest: Digest) -> Content | None:
    """The blob's content, which says its size: to ask for that costs as much as to open it."""
    try:
        return driver.reader(paths.blob_data(digest))
    except StorageError:  # as ``look`` finds
        return None
