"""Content on its way into the store: written by one thread while another hashes what was written."""

from __future__ import annotations

import os
import threading

from udist_plugin.content import can_share, chunks, watches
from udist_plugin.exhaustion import no_thread
from udist_plugin.oci.digest import Digest, new_hash
from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from queue import SimpleQueue

    from udist_plugin.content import Chunk, Readable
    from udist_plugin.drivers.base import FileWriter

DEPTH: Final = 4
"""Chunks written but not hashed yet, at most."""
PROCESSORS: Final = max(2, os.cpu_count() or 1)
"""Two at least: a write may wait for a disk."""


class RunningHash:
    """The digest of the first ``count`` bytes of something."""

    def __init__(self, algorithm: str) -> None:
        self.algorithm = algorithm
        self.count = 0
        self._hash = new_hash(algorithm)

    def update(self, data: memoryview | bytes) -> None:
        self._hash.update(data)
        self.count += len(data)

    def digest(self) -> Digest:
        return Digest.from_hash(self._hash)


class Pump:
    """Brings content into a store. Safe for any number of threads.

    Content is hashed by a second thread while fewer threads are at work than there are processors: more would
    only hand the interpreter round, and pass content from one processor's cache to another's.
    """

    def __init__(self) -> None:
        self._at_work = 0
        self._lock = threading.Lock()

    def __call__(self, source: Readable, writer: FileWriter, running: RunningHash | None) -> None:
        """Writes all of ``source``, and hashes it with ``running`` when given. Where the new file can share
        the content's extents, it is only read.

        Every chunk is written, then hashed, then released: it has one owner at a time, so it is released once
        whatever fails. The second thread, if one can be had, starts with the second chunk at the earliest and
        is gone when this returns or raises.
        After an error ``running.count`` tells whether the hash still covers what ``writer`` has.
        """
        if watches(source) and (file := writer.written()) is not None:
            source.written_to(file)
        shared = can_share(source) and writer.share(source)
        if shared and running is None:
            return
        self._takes_part(at_any_rate=True)
        try:
            self._bring(source, None if shared else writer, running)
        finally:
            self._leaves()

    def _bring(self, source: Readable, writer: FileWriter | None, running: RunningHash | None) -> None:
        helper: Helper | None = None
        first = True
        try:
            for chunk in chunks(source):
                try:
                    if writer:
                        writer.write(chunk.view)
                except BaseException:
                    chunk.release()
                    raise
                if running is None:
                    chunk.release()
                    continue
                helper = helper or (None if first else self._helper(running.update))
                first = False
                if helper is None:
                    _consume(chunk, running.update)
                else:
                    helper.hand_over(chunk)
        finally:
            if helper is not None:
                helper.close()
                self._leaves()
        if helper is not None and helper.error is not None:
            raise helper.error

    def _helper(self, consume: Callable[[memoryview], None]) -> Helper | None:
        """``None`` if all processors have work, or the system gives no thread."""
        if not self._takes_part():
            return None
        try:
            return Helper(consume)
        except BaseException as error:
            self._leaves()
            if isinstance(error, RuntimeError) and no_thread(error):
                return None
            raise

    def _takes_part(self, *, at_any_rate: bool = False) -> bool:
        with self._lock:
            if self._at_work >= PROCESSORS and not at_any_rate:
                return False
            self._at_work += 1
        return True

    def _leaves(self) -> None:
        with self._lock:
            self._at_work -= 1


class Helper:
    """A thread that consumes the chunks handed over to it, in their order, and releases them."""

    def __init__(self, consume: Callable[[memoryview], None]) -> None:
        from queue import SimpleQueue

        self.error: BaseException | None = None
        self._consume = consume
        self._queue: SimpleQueue[Chunk | None] = SimpleQueue()
        self._room = threading.Semaphore(DEPTH)
        self._thread = threading.Thread(target=self._run, name="udist-hash", daemon=True)
        self._thread.start()

    def hand_over(self, chunk: Chunk) -> None:
        """Waits for room; from here on the chunk is the thread's."""
        self._room.acquire()
        self._queue.put(chunk)

    def close(self) -> None:
        """Returns when everything handed over is consumed and the thread has ended."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (chunk := self._queue.get()) is not None:
            try:
                if self.error is None:
                    _consume(chunk, self._consume)
                else:
                    chunk.release()
            except BaseException as error:  # raised by the thread that hands over
                self.error = self.error or error
            finally:
                self._room.release()


def _consume(chunk: Chunk, consume: Callable[[memoryview], None]) -> None:
    try:
        consume(chunk.view)
    finally:
        chunk.release()
