"""Objects that are uploaded in parts, as Amazon S3 has it and services made after it."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections import deque
from mmap import mmap
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from udist_plugin.drivers.objects.limits import PARTS_MAX
from udist_plugin.drivers.objects.store import UNCERTAIN, ObjectWriter
from udist_plugin.errors import PathBusy, PathNotFound, StorageError, StorageUnavailable
from udist_plugin.helpers import Helpers

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from udist_plugin.drivers.objects.store import StoredObject

IN_FLIGHT: Final = 3
"""Parts of an upload sent at once: one connection does not fill a line to a service."""


class PartsUpload(ABC):
    """Parts, numbered from 1, which many threads may send or copy in any order."""

    def __init__(self, name: str, key: str, mark: str = "") -> None:
        """``name`` is the driver's. The object has ``mark``, or else one that only this upload knows."""
        self.mark = mark or os.urandom(16).hex()
        self._name = name
        self._key = key
        self._tags: dict[int, str] = {}

    def send(self, number: int, content: bytes | memoryview) -> None:
        if number > PARTS_MAX:
            problem = f"more than {PARTS_MAX} parts: raise storage.{self._name}.chunksize"
            raise StorageError(problem, driver=self._name, path=self._key)
        self._tags[number] = self._send(number, content)

    def copy(self, number: int, source: StoredObject, start: int, end: int) -> None:
        """Raises ``PathNotFound`` when the source is not there, or not of its version."""
        self._tags[number] = self._copy(number, source, start, end)

    def complete(self, **condition: Any) -> None:
        """Raises ``PathBusy`` when a condition is not met."""
        try:
            repeated = self._complete(sorted(self._tags.items()), **condition)
        except (PathBusy, PathNotFound) as error:
            # The library asks again where the answer was lost, and is told that it is too late.
            if not (self._ended() and self._stands()):
                if isinstance(error, PathBusy):
                    raise
                raise StorageError("the upload was aborted", driver=self._name, path=self._key) from error
        else:
            if repeated and not self._stands():
                raise StorageUnavailable(UNCERTAIN, driver=self._name, path=self._key)

    @abstractmethod
    def abort(self) -> None:
        """Drops the parts; what fails here, purging tries again."""

    @abstractmethod
    def _send(self, number: int, content: bytes | memoryview) -> str:
        """Returns the part's ETag."""

    @abstractmethod
    def _copy(self, number: int, source: StoredObject, start: int, end: int) -> str:
        """Returns the part's ETag."""

    @abstractmethod
    def _complete(self, tags: list[tuple[int, str]], **condition: Any) -> bool:
        """Whether the request was repeated."""

    @abstractmethod
    def _ended(self) -> bool:
        """Whether the service knows this upload no longer."""

    @abstractmethod
    def _found(self) -> StoredObject:
        """What stands at the key. Raises ``PathNotFound``."""

    def _stands(self) -> bool:
        """Whether the object is what became of these parts."""
        try:
            return self._found().mark == self.mark
        except PathNotFound:
            return False


U = TypeVar("U", bound=PartsUpload)


class PartBuffers:
    """Memory for parts of ``size`` bytes, used again: made anew for each, it is never quite given back."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._free: list[mmap] = []

    def take(self) -> mmap:
        try:
            return self._free.pop()
        except IndexError:
            return mmap(-1, self.size)

    def give_back(self, buffer: mmap) -> None:
        if len(self._free) <= IN_FLIGHT:
            self._free.append(buffer)


class PartsWriter(ObjectWriter, Generic[U]):
    """One request when it is small, else parts of one size, some of them under way while others come."""

    def __init__(
        self,
        buffers: PartBuffers,
        *,
        put: Callable[[bytes], None],
        start: Callable[[], U],
        complete: Callable[[U], None],
    ) -> None:
        """``put`` sends all in one request, ``start`` and ``complete`` are an upload's of parts."""
        self.size = 0
        self._buffers = buffers
        self._put = put
        self._start = start
        self._complete = complete
        self._part: mmap | None = None
        self._filled = 0
        self._parts = 0
        self._upload: U | None = None
        self._pool: Helpers | None = None
        self._sending: deque[Future[None]] = deque()

    def write(self, data: bytes | memoryview) -> None:
        left = memoryview(data)
        while left:
            if self._filled == self._buffers.size:
                self._send()
            self._part = self._part or self._buffers.take()
            taken = left[: self._buffers.size - self._filled]
            self._part[self._filled : self._filled + len(taken)] = taken
            self._filled += len(taken)
            self.size += len(taken)
            left = left[len(taken) :]

    def commit(self) -> None:
        if self._upload is None:
            self._put(self._part[: self._filled] if self._part else b"")
        else:
            self._send()
            self._wait(0)
            self._complete(self._upload)
            self._upload = None
        self.cancel()

    def cancel(self) -> None:
        """Waits for what is under way: a part that arrives after the abort would stay."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
        if self._upload is not None:
            self._upload.abort()
            self._upload = None
        self._sending.clear()
        if self._part is not None:
            self._buffers.give_back(self._part)
            self._part = None

    def _send(self) -> None:
        if self._upload is None or self._pool is None:
            self._upload = self._start()
            self._pool = Helpers(IN_FLIGHT, "udist-parts")
        self._wait(IN_FLIGHT - 1)
        self._parts += 1
        assert self._part
        self._sending.append(self._pool.submit(self._deliver, self._parts, self._part, self._filled))
        self._part, self._filled = None, 0

    def _deliver(self, number: int, part: mmap, length: int) -> None:
        assert self._upload
        try:
            self._upload.send(number, memoryview(part)[:length])
        finally:
            self._buffers.give_back(part)

    def _wait(self, most: int) -> None:
        """Returns when no more parts than that are on their way; raises what befell the others."""
        while len(self._sending) > most:
            self._sending.popleft().result()
