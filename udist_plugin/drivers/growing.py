"""Growing files made of segments: for stores where a file that stands cannot be added to."""

from __future__ import annotations

import threading
from abc import abstractmethod
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from udist_plugin.drivers.base import LOCK_WAIT, FileWriter
from udist_plugin.errors import PathBusy

if TYPE_CHECKING:
    from collections.abc import Sequence


class Turns:
    """One writer at a time for each growing file of this process. Between plugins the store decides: of two
    segments with one offset the second is refused."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._changed = threading.Condition()

    def take(self, path: str) -> bool:
        """Waits its turn, ``LOCK_WAIT`` seconds at most; whether it had to. Raises ``PathBusy``."""
        with self._changed:
            waits = path in self._taken
            if not self._changed.wait_for(lambda: path not in self._taken, LOCK_WAIT):
                raise PathBusy("another writer is still writing to it; try again", path=path)
            self._taken.add(path)
            return waits

    def give_back(self, path: str) -> None:
        with self._changed:
            self._taken.discard(path)
            self._changed.notify_all()


class SegmentWriter(Protocol):
    """What a segment is written with; nothing is visible before it is published."""

    def write(self, data: bytes | memoryview) -> None: ...

    def cancel(self) -> None:
        """Drops what was written."""


class Segment(Protocol):
    @property
    def size(self) -> int: ...


SegmentT = TypeVar("SegmentT", bound=Segment)
WriterT = TypeVar("WriterT", bound=SegmentWriter)


class GrowingWriter(FileWriter, Generic[SegmentT, WriterT]):
    """A growing file: what this writer adds becomes a segment when it is closed.

    An error there means that nothing of it was added, and ``size`` says so.
    """

    def __init__(self, turns: Turns, path: str, seen: Sequence[SegmentT] | None = None) -> None:
        """``seen`` are the segments that stood there a moment ago, if somebody has looked."""
        self._turns = turns
        self._path = path
        self._added: WriterT | None = None
        self._open = True
        waited = turns.take(path)
        try:  # whoever was first has added to it
            self._segments = [*(self._found() if seen is None or waited else seen)]
        except BaseException:
            self._let_go()
            raise
        self.size = self._stored

    @abstractmethod
    def _found(self) -> Sequence[SegmentT]:
        """The segments that stand there, in order."""

    @abstractmethod
    def _begun(self) -> WriterT:
        """The writer of the next segment."""

    @abstractmethod
    def _published(self, added: WriterT) -> SegmentT:
        """Makes what was written the next segment. Raises ``PathBusy`` when another plugin has put one
        there."""

    @abstractmethod
    def _join(self, path: str) -> None:
        """Makes one file of the segments, and deletes them."""

    @abstractmethod
    def _delete(self) -> None:
        """Deletes the segments."""

    def write(self, data: bytes | memoryview) -> None:
        if not data:
            return
        try:
            if self._added is None:
                self._added = self._begun()
            self._added.write(data)
        except BaseException:
            self._drop()
            raise
        self.size += len(data)

    def commit(self, path: str | None = None) -> None:
        try:
            self._add()
            self._join(path or self._path)
        finally:
            self._drop()
            self._let_go()

    def cancel(self) -> None:
        self._drop()
        try:
            self._delete()
        finally:
            self._let_go()

    def close(self) -> None:
        try:
            if self._open:
                self._add()
        finally:
            self._drop()
            self._let_go()

    @property
    def _stored(self) -> int:
        return sum(segment.size for segment in self._segments)

    def _add(self) -> None:
        if self._added is not None:
            segment = self._published(self._added)
            self._added = None
            self._segments.append(segment)

    def _drop(self) -> None:
        if self._added is not None:
            self._added.cancel()
            self._added = None
        self.size = self._stored

    def _let_go(self) -> None:
        if self._open:
            self._open = False
            self._turns.give_back(self._path)
