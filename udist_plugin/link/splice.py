"""Content into the output without passing through this process (Linux), or by a buffer elsewhere.

Its bytes are first spliced into a small private pipe, outside the writer's turn: a frame is announced
with the length that is really there, and once begun it waits for its reader alone, never for a disk.
"""

from __future__ import annotations

import io
import os
import sys
import threading

from udist_plugin.link.fds import grow_pipe, read_into
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from udist_plugin.link.output import Output

POOLED = 4
"""Staging pipes kept while fewer are in use; each holds up to its payload of the user's pipe budget."""


class Spliceable:
    """Content that the kernel can move, from where it stands."""

    def splice(self, pipe: int, size: int) -> int:
        """Moves up to ``size`` bytes into an empty pipe, as many as are there and it has room for; waits for
        the first. 0 at the end."""
        raise NotImplementedError


class SpliceableFile(Spliceable):
    """The file of a descriptor."""

    def __init__(self, file: int) -> None:
        self.file = file

    if sys.platform == "linux":

        def splice(self, pipe: int, size: int) -> int:
            total = 0
            while total < size:
                try:
                    count = os.splice(self.file, pipe, size - total, flags=os.SPLICE_F_NONBLOCK)
                except BlockingIOError:
                    break  # the pipe is full: a page takes a slot, however little of it is used
                if not count:
                    break
                total += count
            return total

    def read_into(self, target: memoryview) -> int:
        """Where the kernel does not move it."""
        return read_into(self.file, [target])


class Staged:
    """A piece of content, taken and not yet written. One thread's at a time."""

    def stage(self, content: Spliceable, length: int) -> int:
        """Takes up to ``length`` bytes; 0 at the end."""
        raise NotImplementedError

    def write(self, output: Output) -> None:
        """Writes all that was staged, within the output's turn."""
        raise NotImplementedError

    def close(self) -> None:
        """Drops what is staged and whatever held it."""


class StagedInBuffer(Staged):
    """The portable way: one copy in, one out."""

    def __init__(self, size: int) -> None:
        self._buffer = memoryview(bytearray(min(size, 256 << 10)))
        self._length = 0

    def stage(self, content: Spliceable, length: int) -> int:
        assert isinstance(content, SpliceableFile)
        self._length = content.read_into(self._buffer[:length])
        return self._length

    def write(self, output: Output) -> None:
        output.write(self._buffer[: self._length])


if sys.platform == "linux":

    class StagedInPipe(Staged):
        """The kernel's way: pages move, bytes do not."""

        def __init__(self, size: int) -> None:
            self._read, self._write = os.pipe()
            grow_pipe(self._write, size)
            self._length = 0

        def stage(self, content: Spliceable, length: int) -> int:
            self._length = content.splice(self._write, length)
            return self._length

        def write(self, output: Output) -> None:
            output.splice(self._read, self._length)

        def close(self) -> None:
            os.close(self._read)
            os.close(self._write)


class Stage:
    """Hands out staging places for payloads of up to ``payload`` bytes; ``portable`` ones take any file, and
    nothing else."""

    def __init__(self, payload: int, *, portable: bool = sys.platform != "linux") -> None:
        self.payload = payload
        self.portable = portable
        self._free: list[Staged] = []
        self._used = 0
        self._lock = threading.Lock()
        self._closed = False

    @property
    def locks(self) -> tuple[threading.Lock, ...]:
        """Those that are held while something is looked up or changed, and never for longer."""
        return (self._lock,)

    def take(self) -> Staged:
        """A free place, or a new one."""
        with self._lock:
            self._used += 1
            if self._free:
                return self._free.pop()
        try:
            if sys.platform == "linux" and not self.portable:
                return StagedInPipe(self.payload)
            return StagedInBuffer(self.payload)
        except BaseException:
            with self._lock:
                self._used -= 1
            raise

    def can_splice(self) -> bool:
        """Whether a place can be had here for what is no file."""
        if self.portable:
            return False
        try:
            self.give_back(self.take(), empty=True)
        except OSError:  # no descriptors are left
            return False
        return True

    def give_back(self, staged: Staged, *, empty: bool) -> None:
        """Keeps a place for the next file, or drops it when something is left in it."""
        with self._lock:
            self._used -= 1
            if empty and len(self._free) < max(POOLED, self._used) and not self._closed:
                self._free.append(staged)
                return
        staged.close()

    def close(self) -> None:
        """Drops what was kept, and keeps no more."""
        with self._lock:
            self._closed = True
            while self._free:
                self._free.pop().close()


class Staging:
    """Where one content is staged, a piece at a time: in a place of ``stage``, or of ``fallback``, which is
    portable, where that is not to be had or does not do."""

    def __init__(self, stage: Stage, fallback: Stage) -> None:
        self._stage = stage
        self._fallback = fallback
        self._place: Staged | None = None
        self._empty = True

    def take(self, content: Spliceable, length: int) -> int:
        """Stages up to ``length`` bytes; 0 at the end. Raises the errors of ``content``."""
        while True:
            try:
                self._place = self._place or self._stage.take()
                self._empty = False
                return self._place.stage(content, length)
            except OSError:
                if self._stage.portable:
                    raise
                self.release()
                self._stage = self._fallback

    def write(self, output: Output) -> None:
        """Writes all that is staged, within the output's turn."""
        assert self._place
        self._place.write(output)
        self._empty = True

    def release(self) -> None:
        """Gives the place back, if there is one; the next piece takes another."""
        place, self._place = self._place, None
        if place:
            self._stage.give_back(place, empty=self._empty)


def descriptor_of(file: object) -> int | None:
    """The descriptor of a real file, standing where reading ``file`` would go on; ``None`` for anything else:
    what is only like a file, pipes, what decodes or wraps, and classes of the user's own, which may read
    something else."""
    raw = file.raw if type(file) is io.BufferedReader else file
    if type(raw) is not io.FileIO or not raw.seekable():
        return None
    if type(file) is io.BufferedReader:
        position = file.tell()
        file.seek(0, os.SEEK_END)  # drops the buffer: within it, a seek leaves the descriptor where it is
        file.seek(position)
    return raw.fileno()
